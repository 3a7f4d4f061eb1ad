-- The gap counts from the recording of the outcome, not from the reservation. So the provider never sees a shorter gap,
-- even when a request took long. Locks the pacing row of a channel that has gaps or is recovering from rate limits or
-- failures.
create or replace function retoma_internal.start_gap(
  p_channel_id int, p_now timestamptz, p_accepted boolean
) returns void
language sql volatile
begin atomic
  update retoma_internal.channel_pacing as p
  set
    next_send_at = case
      when p.gap_max > '0 s' then p_now + retoma_internal.random_gap(p, p.gap_min, p.gap_max, p_now)
      else p.next_send_at
    end,
    hold_streak = case when p_accepted and p.hold_until <= p_now then 0 else p.hold_streak end,
    failures = case when p_accepted then '{}' else p.failures end
  where p.channel_id = p_channel_id
    and (p.gap_max > '0 s' or (p_accepted and (p.hold_streak > 0 or p.failures <> '{}')));
end;

comment on function retoma_internal.start_gap(int, timestamptz, boolean) is
'After a send: starts the gap between messages of a channel. p_accepted: the provider has accepted a message, which ends
a series of rate limits or failures.';
