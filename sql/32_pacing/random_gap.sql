create or replace function retoma_internal.random_gap(
  p_pacing retoma_internal.channel_pacing, p_min interval, p_max interval, p_now timestamptz
) returns interval
language sql volatile
begin atomic
  select (p_min + (p_max - p_min) * random()) / retoma_internal.current_throttle(p_pacing, p_now);
end;

comment on function retoma_internal.random_gap(retoma_internal.channel_pacing, interval, interval, timestamptz) is
'A random gap from p_min to p_max, made longer while the channel is throttled.';
