-- Takes pacing and cap, then walks the batch until it has that many messages to send: suppressed numbers are skipped on the way
-- and cost no gap. Locks the pacing of the channel (not of one without limits) and the cap.
create or replace function retoma.reserve_messages(
  p_batch retoma.batch,
  p_want int,
  p_now timestamptz,
  out batch retoma.batch,
  out messages json,
  out wait_s double precision
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_allowed int;
  v_got int := 0;
  v_step record;
  v_token text := (select c.token from retoma.campaign as c where c.id = p_batch.campaign_id);
  v_count int;
begin
  batch := p_batch;
  select t.allowed, t.wait_s into v_allowed, wait_s
  from retoma.check_pacing(batch.lease_channel_id, least(p_want, batch.size - batch.reserved), p_now) as t;
  if v_allowed > 0 then
    v_allowed := retoma.spend_cap(batch.campaign_id, v_allowed, p_now);
  end if;
  while v_got < v_allowed and batch.reserved < batch.size loop
    v_count := least(v_allowed - v_got, batch.size - batch.reserved);
    select s.* into v_step
    from retoma.reserve_slice(
      batch, retoma.batch_ordinals(batch, batch.reserved + 1, batch.reserved + v_count), v_token, p_now
    ) as s;
    batch := v_step.batch;
    v_got := v_got + v_step.got;
    -- A slice of nothing but suppressed numbers has no messages, and takes none of those before it away.
    messages := coalesce((messages::jsonb || v_step.messages::jsonb)::json, messages, v_step.messages);
  end loop;
  if v_got < v_allowed then
    perform retoma.spend_cap(batch.campaign_id, v_got - v_allowed, p_now);
  end if;
  if v_got > 0 then
    perform retoma.spend_pacing(batch.lease_channel_id, v_got, p_now);
  end if;
end;
$$;

comment on function retoma.reserve_messages(retoma.batch, int, timestamptz) is
'Reserves up to p_want messages as far as pacing and caps allow; messages is null when none, with wait_s until the next.';
