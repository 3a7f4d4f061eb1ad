create or replace function retoma_internal.messages_per_hour(
  p_pacing retoma_internal.channel_pacing, p_batch_size int
) returns numeric
language sql immutable
begin atomic
  select case
    when (p_pacing).gap_max > '0 s' or (p_pacing).batch_gap_max > '0 s' then round(least(
      3600 * p_batch_size / nullif(
        extract(epoch from (p_pacing).gap_min + (p_pacing).gap_max) / 2 * (p_batch_size - 1)
        + extract(
          epoch from greatest((p_pacing).gap_min, (p_pacing).batch_gap_min)
          + greatest((p_pacing).gap_max, (p_pacing).batch_gap_max)
        ) / 2,
        0
      ),
      3600 * (p_pacing).rate_per_s
    ), 1)
    else 3600 * (p_pacing).rate_per_s
  end;
end;

comment on function retoma_internal.messages_per_hour(retoma_internal.channel_pacing, int) is
'Messages per hour that the pacing of a channel allows on average; null when it has neither gaps nor a rate.';
