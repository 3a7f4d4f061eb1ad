-- Locks the batches of the messages in the order of their ids, then the campaigns with messages to send again. A
-- message whose batch another transaction is changing is asked about again later: that transaction may be left open.
create or replace function retoma.record_lookups(p_channel_id int, p_results jsonb) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_group record;
  v_count int := 0;
  v_reopen int[] := array[]::int[];
  v_held bigint[];
begin
  perform retoma_internal.insist_on_read_committed();
  perform retoma_internal.check_lookups(p_results);
  v_held := array(
    select b.id from retoma_internal.batch as b
    where b.id in (select d.batch_id from retoma_internal.lookup_targets(p_channel_id, p_results) as d)
    order by b.id
    for update skip locked
  );
  for v_group in
    select t.campaign_id, t.result, t.proves, array_agg(t.ordinal) as ordinals
    from retoma_internal.lookup_targets(p_channel_id, p_results) as t
    where t.batch_id = any(v_held)
    group by t.campaign_id, t.result, t.proves
    order by t.campaign_id
  loop
    if v_group.result = 'found' then
      perform retoma_internal.settle_in_doubt(v_group.campaign_id, v_group.ordinals, 'sent', 'lookup');
    elsif v_group.result = 'absent' and v_group.proves then
      -- Proved: none of its attempts has arrived. So a number that is suppressed now is skipped, not in doubt again.
      perform retoma_internal.requeue(
        v_group.campaign_id, 'in_doubt', null, v_group.ordinals, p_any_channel => false, p_maybe_sent => false
      );
      v_reopen := v_reopen || v_group.campaign_id;
    else
      update retoma_internal.delivery as d set receipt_at = retoma.clock()
      where d.campaign_id = v_group.campaign_id and d.ordinal = any(v_group.ordinals) and d.outcome = 'in_doubt';
    end if;
    v_count := v_count + cardinality(v_group.ordinals);
  end loop;
  perform retoma_internal.reopen_campaign(u.id) from unnest(v_reopen) as u (id);
  return v_count;
end;
$$;

comment on function retoma.record_lookups(int, jsonb) is
'For runners: records the answers of the provider about messages in doubt: [{"message_id": "…", "attempt": 1, "result":
"found"}]. attempt: the one that due_lookups returned; an answer says nothing about a later attempt.
found: the message becomes sent. absent: the provider does not have it. When this proves that it never took it
(transport.absent_proves), the message is sent again, unless its runner may only be frozen and might still send it, or
its campaign was cancelled. Otherwise, and for unknown, it stays in doubt and is asked about again later.
Returns how many messages in doubt got an answer. Error RT003: not such an array.';
