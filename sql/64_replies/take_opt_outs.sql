-- Locks the rows of the numbers, in the order of their keys; inserts confirmations.
create or replace function retoma_internal.take_opt_outs(p_reply_ids bigint[]) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_reply retoma_internal.reply;
  v_consent record;
  v_taken int := 0;
begin
  for v_reply in
    select r.* from retoma_internal.reply as r
    where r.id = any(p_reply_ids) and r.state = 'opted_out'
    order by retoma_internal.suppression_key(r.phone), r.at
  loop
    v_taken := v_taken + 1;
    v_consent := retoma_internal.record_consent(
      v_reply.phone, false,
      'reply on ' || (select h.name from retoma_internal.channel as h where h.id = v_reply.channel_id), 'opt_out',
      v_reply.at
    );
    if not v_consent.counts then
      update retoma_internal.reply as r set state = 'outdated' where r.id = v_reply.id;
    elsif v_consent.suppresses then
      perform retoma_internal.queue_confirmation(v_reply, v_reply.at);
    end if;
  end loop;
  return v_taken;
end;
$$;

comment on function retoma_internal.take_opt_outs(bigint[]) is
'Puts the numbers of those of these replies that are opt-outs on the suppression list, and queues confirmations; one
that is older than an opt-in becomes outdated. Returns how many are opt-outs.';
