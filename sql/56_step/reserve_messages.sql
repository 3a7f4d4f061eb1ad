-- Asks pacing and limits, then moves through the batch until it has the allowed number of messages. It skips suppressed
-- numbers, and those that are not on WhatsApp, on the way; they need no gap and count under no limit. Locks the pacing
-- of the channel, when it has one, then the limits.
-- A slice of only skipped numbers has no messages, and must not remove the messages of earlier slices.
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
    v_limit_ids := array(
      select l.id from retoma_internal.limit_rule as l
      where (l.scope, l.subject_id) in (('channel', batch.lease_channel_id), ('campaign', batch.campaign_id))
        or (l.scope, l.subject_id) = ('channel_group', retoma_internal.group_of(batch.lease_channel_id))
    );
    if v_limit_ids <> '{}' then
      v_limits := retoma_internal.limit_allowance(v_limit_ids, v_allowed);
      v_allowed := v_limits.allowed;
      why_not := case when v_allowed = 0 then 'limit_reached' end;
    end if;
  end if;
  while v_got < v_allowed and batch.reserved < batch.size loop
    v_ordinals := retoma_internal.next_ordinals(batch, least(v_allowed - v_got, batch.size - batch.reserved));
    if p_context.resolves_addresses then
      v_slice := retoma_internal.reserve_reachable(batch, v_ordinals, p_context);
    else
      v_slice := retoma_internal.reserve_unsuppressed(batch, v_ordinals, p_context);
    end if;
    batch := v_slice.batch;
    v_got := v_got + v_slice.got;
    messages := case
      when messages is null or v_slice.got = 0 then coalesce(messages, v_slice.messages)
      else (messages::jsonb || v_slice.messages::jsonb)::json
    end;
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
