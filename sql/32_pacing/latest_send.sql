create or replace function retoma_internal.latest_send(
  p_pacing retoma_internal.channel_pacing, p_now timestamptz
) returns timestamptz
language sql immutable
begin atomic
  select p_now + greatest((p_pacing).gap_max, (p_pacing).batch_gap_max) / (p_pacing).throttle;
end;

comment on function retoma_internal.latest_send(retoma_internal.channel_pacing, timestamptz) is
'When the longest gap ends that a channel can begin at p_now. A next_send_at behind it comes from a clock that has gone
back since, or from gaps that were longer.';
