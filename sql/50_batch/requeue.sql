-- Takes messages out of their batches ("requeued") and queues them again. Locks the batches in the order of their ids
-- before it reads the deliveries, as all functions do. Messages of other batches that get this outcome in the meantime
-- are left alone.
create or replace function retoma_internal.requeue(
  p_campaign_id int, p_outcome text, p_codes text[], p_ordinals int[], p_any_channel boolean, p_maybe_sent boolean
) returns bigint
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  -- Only the batches of these messages: record_lookups has locked them, and must not wait for others out of order.
  v_held bigint[] := array(
    select b.id from retoma_internal.batch as b
    where b.campaign_id = p_campaign_id and b.failed + b.in_doubt > 0
      and (p_ordinals is null or b.id in (
        select d.batch_id from retoma_internal.delivery as d
        where d.campaign_id = p_campaign_id and d.outcome = p_outcome and d.ordinal = any(p_ordinals)
      ))
    order by b.id
    for update
  );
  v_group record;
  v_count bigint := 0;
begin
  for v_group in
    with requeued as (
      update retoma_internal.delivery as d
      set outcome = 'requeued', settings_version = case when p_maybe_sent then d.settings_version end
      where d.campaign_id = p_campaign_id and d.outcome = p_outcome and d.batch_id = any(v_held)
        and d.attempt < 32767 -- the last attempt that the column can hold
        and (p_codes is null or d.code = any(p_codes))
        and (p_ordinals is null or d.ordinal = any(p_ordinals))
      returning d.batch_id, d.ordinal, d.attempt, d.channel_id
    ),
    counted as (
      update retoma_internal.batch as b
      set
        requeued = b.requeued + m.n,
        failed = b.failed - case p_outcome when 'failed' then m.n else 0 end,
        in_doubt = b.in_doubt - case p_outcome when 'in_doubt' then m.n else 0 end
      from (select mm.batch_id, count(*)::int as n from requeued as mm group by mm.batch_id) as m
      where b.id = m.batch_id
      returning b.id, b.zone
    )
    select
      c.zone, m.attempt, case when not p_any_channel then m.channel_id end as channel_id,
      array_agg(m.ordinal order by m.ordinal) as ordinals
    from requeued as m
    inner join counted as c on m.batch_id = c.id
    group by 1, 2, 3
  loop
    perform retoma_internal.queue_list(
      p_campaign_id, v_group.zone, (v_group.attempt + 1)::smallint, 0::smallint, v_group.ordinals, '-infinity',
      v_group.channel_id, p_maybe_sent => p_maybe_sent
    );
    v_count := v_count + cardinality(v_group.ordinals);
  end loop;
  return v_count;
end;
$$;

comment on function retoma_internal.requeue(int, text, text[], int[], boolean, boolean) is
'Queues messages whose last attempt ended in p_outcome (failed or in_doubt) for another attempt. p_codes, p_ordinals:
only messages with these codes or ordinals; null: all. p_any_channel: any channel may send them, else only the channel
of the last attempt. p_maybe_sent: an earlier attempt may have arrived. Returns how many messages.';
