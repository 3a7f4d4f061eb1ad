-- A clock that went back takes nothing away.
create or replace function retoma_internal.current_throttle(
  p_pacing retoma_internal.channel_pacing, p_now timestamptz
) returns double precision
language sql immutable
begin atomic
  select case
    when (p_pacing).throttle = 1 then 1
    else least(1, (p_pacing).throttle * (1 + greatest(extract(epoch from p_now - (p_pacing).throttled_at), 0) / 240))
  end;
end;

comment on function retoma_internal.current_throttle(retoma_internal.channel_pacing, timestamptz) is
'Share of the configured speed at p_now, up to 1: each minute since the last rate limit adds a quarter of the share that
it left.';
