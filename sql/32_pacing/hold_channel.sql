-- The provider reported a rate limit of the whole sender account. The channel is held for the time that the provider
-- says; else for that of the error rule; else for 4, 16, 64 … seconds, up to an hour. Then it sends at half the speed.
-- Whatever the provider says, the holds of a series grow: at least 1, 2, 4, 8 … seconds, so that a provider which says
-- 0 is not asked thousands of times. An accepted message ends the series. All rate limits that arrive during one hold,
-- from requests that were under way, count once. Locks the pacing row of the channel.
create or replace function retoma_internal.hold_channel(
  p_channel_id int, p_rule retoma.error_rule, p_retry_after_s double precision, p_now timestamptz
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_place int;
begin
  select least(greatest(p.hold_streak + (p.hold_until <= p_now)::int, 1), 13) into v_place
  from retoma_internal.channel_pacing as p where p.channel_id = p_channel_id for update;
  update retoma_internal.channel_pacing as p
  set
    hold_until = greatest(
      p.hold_until,
      p_now + make_interval(
        secs => greatest(
          coalesce(p_retry_after_s, p_rule.defer_s, least(4 ^ v_place, 3600)), least(2 ^ (v_place - 1), 3600)
        )
      )
    ),
    hold_reason = format('rate limit of the provider (%s)', p_rule.code),
    hold_streak = case when p.hold_until > p_now then p.hold_streak else v_place end,
    throttle = case
      when p.hold_until > p_now then p.throttle
      else greatest(retoma_internal.current_throttle(p, p_now) / 2, 0.05)
    end,
    throttled_at = p_now
  where p.channel_id = p_channel_id;
end;
$$;

comment on function retoma_internal.hold_channel(int, retoma.error_rule, double precision, timestamptz) is
'After a rate limit: reserves nothing on the channel for p_retry_after_s seconds (null: by p_rule, or longer each time)
and longer than the last hold of a series, and then sends at half the speed.';
