-- The heart: one step of a leased batch in one transaction, and one commit. Locks the batch, then what it needs of: the channel's
-- pacing, the campaign's cap; errors may lock the channel and its campaigns.
-- Plans are kept: making some 20 anew at each step was 60% of its cost. Without sequential scans, a plan that was made while a
-- table was empty is right when it is full (and before PostgreSQL 18 costs so much that it would be compiled: hence no JIT). Only what reads message, which is partitioned, plans each time: reserve_slice.
create or replace function retoma.advance_batch(
  p_batch_id bigint,
  p_lease_epoch int,
  p_outcomes jsonb default '[]',
  p_want int default 0,
  p_seen int default null,
  out action text,
  out wait_s double precision,
  out reserved int,
  out messages json
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set jit to off
as $$
declare
  v_now timestamptz := retoma.clock();
  v_batch retoma.batch := retoma.hold_batch(p_batch_id, p_lease_epoch, p_seen);
  v_taken record;
  v_open int;
  v_why_not text;
begin
  perform retoma.insist_on_durability();
  if p_outcomes <> '[]' then
    v_batch := retoma.record_outcomes(v_batch, p_outcomes, v_now);
  end if;
  v_open := v_batch.reserved - v_batch.sent - v_batch.failed - v_batch.skipped - v_batch.in_doubt - v_batch.moved;
  if v_batch.reserved = v_batch.size and v_open = 0 then
    action := 'completed';
  else
    v_why_not := retoma.why_not_send(v_batch, v_now);
    if p_seen < v_batch.reserved then
      -- The reply to the last call was lost. Nobody else can hold this epoch, so nobody has sent these.
      messages := retoma.reserved_messages(v_batch, p_seen, v_why_not is not null);
    end if;
    if messages is not null then
      action := 'send';
    elsif v_why_not is not null then
      action := case when v_open = 0 then 'released' else 'drain' end;
    elsif p_want > 0 and v_batch.reserved < v_batch.size then
      v_taken := retoma.reserve_messages(v_batch, p_want, v_now);
      v_batch := v_taken.batch;
      messages := v_taken.messages;
      wait_s := v_taken.wait_s;
      v_open := v_batch.reserved - v_batch.sent - v_batch.failed - v_batch.skipped - v_batch.in_doubt - v_batch.moved;
      action := retoma.next_action(v_batch, v_open, messages, wait_s);
    else
      action := 'wait';
      wait_s := 0;
    end if;
  end if;
  if action = 'completed' then
    perform retoma.take_batch_gap(v_batch.lease_channel_id, v_now);
  end if;
  perform retoma.write_batch(v_batch, action, v_now, v_why_not);
  reserved := v_batch.reserved;
end;
$$;

comment on function retoma.advance_batch(bigint, int, jsonb, int, int) is
'For runners: records outcomes, reserves the next messages and renews the lease, in one transaction.
p_outcomes: [{"ordinal": 7, "status": "accepted", "provider_id": null}, {"ordinal": 8, "status": "error", "code": "timeout",
"http_status": null, "retry_after_s": null, "written": true}]; the same outcome twice is harmless. p_want: how many messages the
runner would send now. p_seen: the high-water mark of the last reply that the runner got; when a reply was lost, its messages
are given again. Returns action: send (messages: [[ordinal, id, phone, variables], …], where a fifth element true
says: do not send this, report it as not_attempted), wait (call again in wait_s seconds),
drain (only outcomes are taken now), released or completed (the lease is over), and the new high-water mark reserved.
Errors: RT010 the epoch is not that of a live lease: drop the batch; RT003 bad arguments.';
