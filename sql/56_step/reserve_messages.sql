-- Takes pacing and cap, then walks the batch until it has that many messages to send. Suppressed numbers are skipped on
-- the way and cost no gap. Locks the pacing of the channel, when the channel has limits, then the cap.
create or replace function retoma_internal.reserve_messages(
  p_batch retoma_internal.batch,
  p_want int,
  p_token text,
  p_pacing retoma_internal.channel_pacing,
  p_has_cap boolean,
  p_now timestamptz,
  out batch retoma_internal.batch,
  out messages json,
  out wait_s double precision
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_has_limits boolean := not retoma_internal.is_unpaced(p_pacing, p_now);
  v_allowed int := least(p_want, p_batch.size - p_batch.reserved);
  v_got int := 0;
  v_count int;
  v_step record;
begin
  batch := p_batch;
  if v_has_limits then
    select t.allowed, t.wait_s into v_allowed, wait_s
    from retoma_internal.pacing_allowance(batch.lease_channel_id, v_allowed, p_now) as t;
  end if;
  if p_has_cap and v_allowed > 0 then
    v_allowed := retoma_internal.spend_cap(batch.campaign_id, v_allowed, p_now);
  end if;
  while v_got < v_allowed and batch.reserved < batch.size loop
    v_count := least(v_allowed - v_got, batch.size - batch.reserved);
    v_step := retoma_internal.reserve_slice(
      batch, retoma_internal.batch_ordinals(batch, batch.reserved + 1, batch.reserved + v_count), p_token, p_now
    );
    batch := v_step.batch;
    v_got := v_got + v_step.got;
    -- A slice that has only suppressed numbers brings no messages, and must not remove those of earlier slices.
    if messages is null then
      messages := v_step.messages;
    elsif v_step.got > 0 then
      messages := messages::jsonb || v_step.messages::jsonb;
    end if;
  end loop;
  if p_has_cap and v_got < v_allowed then
    perform retoma_internal.spend_cap(batch.campaign_id, v_got - v_allowed, p_now);
  end if;
  if v_has_limits and v_got > 0 then
    perform retoma_internal.spend_pacing(batch.lease_channel_id, v_got, p_now);
  end if;
end;
$$;

comment on function retoma_internal.reserve_messages(
  retoma_internal.batch, int, text, retoma_internal.channel_pacing, boolean, timestamptz
) is
'Reserves up to p_want messages, as pacing and caps allow; messages is null when there are none; wait_s: until the
next.';
