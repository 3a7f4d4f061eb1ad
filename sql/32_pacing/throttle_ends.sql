create or replace function retoma_internal.throttle_ends(p_pacing retoma_internal.channel_pacing) returns timestamptz
language sql immutable
begin atomic
  select (p_pacing).throttled_at + make_interval(secs => 240 * (1 / (p_pacing).throttle - 1));
end;

comment on function retoma_internal.throttle_ends(retoma_internal.channel_pacing) is
'When a channel is back at its configured speed after a rate limit, see current_throttle.';
