-- Takes up to p_want from the daily cap of the campaign and returns how many it got; a negative p_want gives back.
-- Locks the cap until the reservation commits.
create or replace function retoma_internal.spend_cap(p_campaign_id int, p_want int, p_now timestamptz) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_got int;
begin
  perform from retoma_internal.campaign_rule as r
  where r.campaign_id = p_campaign_id and r.kind = 'daily_cap'
  for update;
  if not found then
    return p_want;
  end if;
  v_got := least(p_want, retoma_internal.cap_left(p_campaign_id, p_now));
  update retoma_internal.campaign_rule as r
  set
    -- A step that read the clock before midnight and waited for this row must not set the day back.
    cap_day = greatest(r.cap_day, (p_now at time zone coalesce(c.time_zone, 'UTC'))::date),
    cap_used = r.cap - retoma_internal.cap_left(p_campaign_id, p_now) + v_got
  from retoma_internal.campaign as c
  where r.campaign_id = p_campaign_id and r.kind = 'daily_cap' and c.id = p_campaign_id;
  return v_got;
end;
$$;

comment on function retoma_internal.spend_cap(int, int, timestamptz) is
'Takes up to p_want messages from the daily cap; returns how many.';
