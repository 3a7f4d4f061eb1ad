-- Asks pacing and limits, then moves through the batch until it has the allowed number of messages. It skips suppressed
-- numbers on the way; they need no gap and count under no limit. Locks the pacing of the channel, when it has one, then
-- the limits.
create or replace function retoma_internal.reserve_messages(
  p_batch retoma_internal.batch,
  p_want int,
  p_context retoma_internal.step_context,
  out batch retoma_internal.batch,
  out messages json,
  out wait_s double precision,
  out why_not text
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_is_paced boolean := not retoma_internal.is_unpaced(p_context.pacing, p_context.at);
  v_limit_ids int[];
  v_limits record;
  v_allowed int := least(p_want, p_batch.size - p_batch.reserved);
  v_got int := 0;
  v_count int;
  v_ordinals int[];
  v_slice record;
begin
  batch := p_batch;
  if batch.needs_dedupe then
    batch := retoma_internal.give_up_repeats(batch, p_context);
    v_allowed := least(p_want, batch.size - batch.reserved);
  end if;
  if v_is_paced and v_allowed > 0 then
    select t.allowed, t.wait_s into v_allowed, wait_s
    from retoma_internal.pacing_allowance(batch.lease_channel_id, v_allowed, p_context.at) as t;
    why_not := case when v_allowed = 0 then 'paced' end;
  end if;
  if v_allowed > 0 then
    -- Read only now, so that a limit that was set while this step waited for the pacing of the channel is respected.
    v_limit_ids := retoma_internal.limits_of_step(batch.lease_channel_id, batch.campaign_id);
    if v_limit_ids <> '{}' then
      v_limits := retoma_internal.limit_allowance(v_limit_ids, v_allowed);
      v_allowed := v_limits.allowed;
      why_not := case when v_allowed = 0 then 'limit_reached' end;
    end if;
  end if;
  while v_got < v_allowed and batch.reserved < batch.size loop
    v_count := least(v_allowed - v_got, batch.size - batch.reserved);
    v_ordinals := retoma_internal.next_ordinals(batch, v_count);
    v_slice := retoma_internal.reserve_unsuppressed(batch, v_ordinals, p_context);
    batch := v_slice.batch;
    v_got := v_got + v_slice.got;
    -- A slice of only suppressed numbers has no messages, and must not remove the messages of earlier slices.
    if messages is null then
      messages := v_slice.messages;
    elsif v_slice.got > 0 then
      messages := messages::jsonb || v_slice.messages::jsonb;
    end if;
  end loop;
  if v_is_paced and v_got > 0 then
    perform retoma_internal.spend_pacing(batch.lease_channel_id, v_got, p_context.at);
  end if;
  if v_limit_ids <> '{}' and v_got > 0 then
    perform retoma_internal.spend_limits(v_limit_ids, messages, v_got, v_limits.at);
  end if;
end;
$$;

comment on function retoma_internal.reserve_messages(retoma_internal.batch, int, retoma_internal.step_context) is
'Reserves up to p_want messages, as pacing and limits allow. messages: as in advance_batch; null when there are none.
why_not: paced or limit_reached when none is allowed. wait_s: seconds until pacing allows the next one.
Error RT012: the list of the batch has lost messages.';
