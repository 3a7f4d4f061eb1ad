-- Locks the pacing row of the channel, and decides by what it reads under the lock. Downtime is not caught up
-- (invariant 6): a gap counts from the last send, and the bucket never holds more than the burst. A turn that is kept
-- for a confirmation counts for a minute at most, also when the clock has gone back.
create or replace function retoma_internal.pacing_allowance(
  p_channel_id int,
  p_want int,
  p_now timestamptz,
  p_is_confirmation boolean default false,
  out allowed int,
  out wait_s double precision
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_p retoma_internal.channel_pacing;
  v_rate double precision;
  v_tokens double precision;
begin
  select p.* into v_p from retoma_internal.channel_pacing as p where p.channel_id = p_channel_id for update;
  allowed := 0;
  if v_p.next_send_at > p_now or v_p.tokens_at > p_now then
    v_p := retoma_internal.set_pacing_back(v_p, p_now);
  end if;
  if v_p.hold_until > p_now or v_p.next_send_at > p_now then
    wait_s := extract(epoch from greatest(v_p.hold_until, v_p.next_send_at) - p_now);
    return;
  end if;
  if v_p.turn_kept_until > p_now and v_p.turn_kept_until <= p_now + interval '1 minute' and not p_is_confirmation then
    wait_s := least(extract(epoch from v_p.turn_kept_until - p_now), 1);
    return;
  end if;
  allowed := case when v_p.gap_max > '0 s' then least(p_want, 1) else p_want end;
  if v_p.rate_per_s is not null then
    v_rate := v_p.rate_per_s * retoma_internal.current_throttle(v_p, p_now);
    v_tokens := retoma_internal.current_tokens(v_p, p_now);
    allowed := least(allowed, floor(v_tokens)::int);
    wait_s := case when allowed = 0 then (1 - v_tokens) / v_rate end;
  end if;
end;
$$;

comment on function retoma_internal.pacing_allowance(int, int, timestamptz, boolean) is
'How many of p_want messages a channel with pacing may send now. When none, wait_s: seconds until the next call can
bring some. p_is_confirmation: it asks for the confirmation for which the turn is kept.';
