-- The delay grows by a factor of 4 from 30 seconds up to an hour with each attempt that counts. From the third attempt
-- on that does not count, it is at least 1, 2, 4, 8 … seconds: whatever holds the channel meanwhile can fail, or say 0.
-- queue_retry adds the jitter.
create or replace function retoma_internal.retry_delay(
  p_rule retoma.error_rule, p_batch retoma_internal.batch, p_retry_after_s double precision
) returns interval
language sql immutable
begin atomic
  select make_interval(secs => greatest(
    case
      when (p_batch).attempt - (p_batch).attempts_counted > 2
        then least(2 ^ ((p_batch).attempt - (p_batch).attempts_counted - 3), 3600)
      else 0
    end,
    case
      when (p_rule).defer_s is not null then greatest((p_rule).defer_s, p_retry_after_s)
      when (p_rule).class in ('rate_limited_channel', 'campaign_down', 'channel_down', 'auth') then 0
      else greatest(least(30 * 4 ^ (p_batch).attempts_counted, 3600), p_retry_after_s)
    end
  ));
end;

comment on function retoma_internal.retry_delay(retoma.error_rule, retoma_internal.batch, double precision) is
'How long a message waits before its next attempt: by its rule, else 30 s, 2 min, 8 min, … at most an hour, and at least
p_retry_after_s seconds. 0 for the first errors without defer_s that hold or stop the whole channel.';
