-- Takes a portion of the inbox, so that a tick is short whatever waits there; and leaves what is under lock for later,
-- because a session that was left open must not stop the tick. Failures are of one channel at a time: each can lock a
-- channel and its campaigns, and these locks have an order.
create or replace function retoma_internal.apply_waiting_receipts(
  p_failures boolean, out settled int, out stopped boolean
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_waiting retoma_internal.receipt_inbox[];
  v_done record;
begin
  if p_failures then
    v_waiting := array(
      select i from retoma_internal.receipt_inbox as i
      where i.status = 'failed' and i.try_after <= v_now
      order by i.try_after, i.id
      limit 1000
      for update skip locked
    );
    v_waiting := array(select w from unnest(v_waiting) as w where w.channel_id = v_waiting[1].channel_id);
  else
    v_waiting := array(
      select i from retoma_internal.receipt_inbox as i
      where i.status <> 'failed' and i.try_after <= v_now
      order by i.try_after, i.id
      limit 1000
      for update skip locked
    );
  end if;
  settled := 0;
  stopped := false;
  if v_waiting = '{}' then
    return;
  end if;
  select a.* into v_done
  from retoma_internal.lock_receipt_batches(v_waiting) as held,
    retoma_internal.apply_receipts(v_waiting, held) as a;
  settled := cardinality(v_done.applied);
  delete from retoma_internal.receipt_inbox as i
  where i.id = any(array(select v_waiting[u.place].id from unnest(v_done.applied) as u (place)))
    -- When the lease is over, the id of the provider was never learnt.
    or (
      i.id = any(array(select w.id from unnest(v_waiting) as w)) and i.message_id is null
      and i.received_at < v_now - 2 * (select s.lease_duration from retoma.setting as s)
    );
  update retoma_internal.receipt_inbox as i
  set try_after = v_now + greatest((v_now - i.received_at) / 4, '0.4 s')
  from unnest(v_waiting) as w
  where i.id = w.id;
  if v_done.failed <> '{}' then
    stopped := retoma_internal.stop_after_receipts(v_done.failed);
  end if;
end;
$$;

comment on function retoma_internal.apply_waiting_receipts(boolean) is
'Applies those receipts of the inbox whose message now has a recorded outcome, as far as the next 1,000 go. p_failures:
only failures, or only the others. settled: how many; stopped: one of them has stopped a channel, so this transaction
must not lock anything more.';
