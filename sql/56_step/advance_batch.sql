-- The heart of Retoma: one step of a leased batch, in one transaction with one commit. Locks the batch, then only what
-- it needs: the pacing of the channel, then the limits. An error can lock the channel and its campaigns.
--
-- A step is many small statements, and each costs more to start than to run. So its context is read once, and gaps,
-- limits or windows that a channel or campaign does not have cost no statement. Plans are made once per session.
-- Without sequential scans, a plan that was made while a table was empty is still right when the table is full. Before
-- PostgreSQL 18, such a plan looks so expensive that it would be compiled; so JIT is off.
--
-- An error may have stopped the channel or the campaign, so after errors the context is read again. Where the reply to
-- the last call was lost, no other runner can hold this epoch: so its messages were not sent, and are given again.
create or replace function retoma.advance_batch(
  p_runner_id uuid,
  p_batch_id bigint,
  p_lease_epoch int,
  p_outcomes jsonb default '[]',
  p_want int default 0,
  p_seen int default null,
  p_accepted int[] default '{}',
  out action text,
  out wait_s double precision,
  out reserved int,
  out messages json,
  out why_not text,
  out because text,
  out in_flight int
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set jit to off
as $$
declare
  v_batch retoma_internal.batch;
  v_context retoma_internal.step_context;
  v_taken record;
begin
  perform retoma_internal.insist_on_durability();
  v_batch := retoma_internal.lock_lease(p_runner_id, p_batch_id, p_lease_epoch);
  v_batch := case when p_seen <> v_batch.reserved then retoma_internal.catch_up(v_batch, p_seen) else v_batch end;
  select c.* into v_context from retoma_internal.step_context_of(v_batch) as c;
  if p_accepted <> '{}' then
    v_batch := retoma_internal.record_accepted(v_batch, p_accepted, v_context);
  end if;
  if p_outcomes <> '[]' then
    v_batch := retoma_internal.record_outcomes(v_batch, p_outcomes, v_context);
    select c.* into v_context from retoma_internal.step_context_of(v_batch) as c;
  end if;
  why_not := v_context.why_not;
  in_flight := retoma_internal.in_flight(v_batch);
  if p_seen < v_batch.reserved then
    messages := retoma_internal.reserved_messages(v_batch, p_seen, p_withhold => why_not is not null);
  end if;
  if messages is not null then
    action := 'send';
  elsif in_flight = 0 and v_batch.reserved = v_batch.size then
    action := 'completed';
  elsif why_not is not null then
    action := case when in_flight = 0 then 'released' else 'drain' end;
  elsif p_want > 0 and v_batch.reserved < v_batch.size then
    v_taken := retoma_internal.reserve_messages(v_batch, p_want, v_context);
    v_batch := v_taken.batch;
    messages := v_taken.messages;
    wait_s := v_taken.wait_s;
    why_not := v_taken.why_not;
    action := retoma_internal.next_action(v_batch, messages, wait_s, v_context);
  else
    action := 'wait';
    wait_s := 0;
  end if;
  if messages is not null and (v_context.variant_bounds is not null or v_context.resolves_addresses) then
    messages := retoma_internal.with_variants_and_addresses(messages, v_context, v_batch.campaign_id);
  end if;
  if action = 'completed' and (v_context.pacing).batch_gap_max > '0 s' then
    perform retoma_internal.start_batch_gap(v_batch.lease_channel_id, v_context.at);
  end if;
  perform retoma_internal.write_batch(v_batch, action, v_context);
  because := retoma_internal.why_not_in_words(why_not);
  reserved := v_batch.reserved;
  in_flight := retoma_internal.in_flight(v_batch);
end;
$$;

comment on function retoma.advance_batch(uuid, bigint, int, jsonb, int, int, int[]) is
'For runners: records outcomes, reserves the next messages and renews the lease, in one transaction.
p_outcomes: [{"ordinal": 7, "status": "accepted", "provider_id": "x"}, {"ordinal": 8, "status": "error", "code":
"timeout", "http_status": null, "retry_after_s": null, "written": true}]. Status held: the provider took the message,
but keeps it for a check. took_id: whether the answer to an accepted message carried our id (true) or another (false);
left out when it shows none. An outcome that is already recorded is ignored.
p_want: how many messages the runner can send now. p_seen: the high-water mark in the last reply that the runner
received; if a later reply was lost, its messages are returned again. p_accepted: ordinals of accepted messages without
further facts.
Returns reserved, the new high-water mark, and action:
send: messages is [[ordinal, id, phone, variables], …]. A fifth element true means: do not send it, report it as
not_attempted. Where the campaign has several contents, each has a sixth element: the number of its variant, from 1.
Where some messages go to another address than their number, each has a seventh element: its address, or null.
in_flight: how many messages are reserved and have no outcome. When the runner has fewer, the server has lost commits.
wait: call again in wait_s seconds. drain: only outcomes are taken now. released, completed: the lease has ended.
why_not: a code when nothing can be reserved (campaign_ with its status, channel_ with its state,
template_refused, window_closed, limit_reached, paced, lease_overdue); because: the same in words.
Errors: RT003 bad arguments; RT010 this runner does not hold the batch under this epoch: drop the batch.';
