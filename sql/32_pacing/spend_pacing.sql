-- The caller has locked the row in pacing_allowance. The gap counts from here until the outcome is recorded, and then
-- starts again (start_gap).
create or replace function retoma_internal.spend_pacing(p_channel_id int, p_count int, p_now timestamptz) returns void
language sql volatile
begin atomic
  update retoma_internal.channel_pacing as p
  set
    next_send_at = case
      when p.gap_max > '0 s' then p_now + retoma_internal.random_gap(p, p.gap_min, p.gap_max, p_now)
      else p.next_send_at
    end,
    tokens = case
      when p.rate_per_s is not null then retoma_internal.current_tokens(p, p_now) - p_count
      else p.tokens
    end,
    -- Two leases of one channel can read the clock in one order and get the lock in the other.
    tokens_at = case when p.rate_per_s is not null then greatest(p.tokens_at, p_now) else p.tokens_at end
  where p.channel_id = p_channel_id and not retoma_internal.is_unpaced(p, p_now);
end;

comment on function retoma_internal.spend_pacing(int, int, timestamptz) is
'Takes p_count messages out of the token bucket of a channel, and starts its gap.';
