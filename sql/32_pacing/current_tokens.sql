-- A channel that has never sent begins with a full bucket. A clock that went back adds no tokens.
create or replace function retoma_internal.current_tokens(
  p_pacing retoma_internal.channel_pacing, p_now timestamptz
) returns double precision
language sql immutable
begin atomic
  select case
    when (p_pacing).tokens_at = '-infinity' then (p_pacing).burst
    else least(
      (p_pacing).burst,
      (p_pacing).tokens + greatest(extract(epoch from p_now - (p_pacing).tokens_at), 0)
      * (p_pacing).rate_per_s::double precision * retoma_internal.current_throttle(p_pacing, p_now)
    )
  end;
end;

comment on function retoma_internal.current_tokens(retoma_internal.channel_pacing, timestamptz) is
'Messages in the token bucket at p_now, up to the burst.';
