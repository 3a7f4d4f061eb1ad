create or replace function retoma_internal.is_unpaced(
  p_pacing retoma_internal.channel_pacing, p_now timestamptz
) returns boolean
language sql immutable
begin atomic
  select (p_pacing).gap_max = '0 s' and (p_pacing).batch_gap_max = '0 s' and (p_pacing).rate_per_s is null
    and (p_pacing).hold_until <= p_now and (p_pacing).next_send_at <= p_now;
end;

comment on function retoma_internal.is_unpaced(retoma_internal.channel_pacing, timestamptz) is
'Whether pacing neither delays nor counts the messages of a channel at p_now: no gaps, no rate, no hold.';
