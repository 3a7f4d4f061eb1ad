-- How much of today's quota is left. A used-up quota holds the channel until its next day begins. The caller holds the
-- pacing row, but may have read the clock before a transaction that held the row earlier. Around midnight the day of
-- the row can therefore be ahead; it does not go back.
create or replace function retoma_internal.check_quota(
  p_pacing retoma_internal.channel_pacing, p_now timestamptz
) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_zone text := (select c.time_zone from retoma_internal.channel as c where c.id = p_pacing.channel_id);
  v_today date := greatest((p_now at time zone v_zone)::date, p_pacing.quota_day);
  v_left int := p_pacing.daily_quota - case when p_pacing.quota_day = v_today then p_pacing.quota_used else 0 end;
begin
  if v_left <= 0 then
    update retoma_internal.channel_pacing as p
    set hold_until = (v_today + 1)::timestamp at time zone v_zone, hold_reason = 'daily quota used up'
    where p.channel_id = p_pacing.channel_id;
  elsif p_pacing.quota_day <> v_today then
    update retoma_internal.channel_pacing as p
    set quota_day = v_today, quota_used = 0
    where p.channel_id = p_pacing.channel_id;
  end if;
  return greatest(v_left, 0);
end;
$$;

comment on function retoma_internal.check_quota(retoma_internal.channel_pacing, timestamptz) is
'Messages that the daily quota of a channel leaves.';
