create or replace function retoma_internal.cap_left(p_campaign_id int, p_now timestamptz) returns int
language sql stable
begin atomic
  select greatest(
    r.cap - case
      when r.cap_day >= (p_now at time zone coalesce(c.time_zone, 'UTC'))::date then r.cap_used
      else 0
    end,
    0
  )
  from retoma_internal.campaign_rule as r
  inner join retoma_internal.campaign as c on r.campaign_id = c.id
  where r.campaign_id = p_campaign_id and r.kind = 'daily_cap';
end;

comment on function retoma_internal.cap_left(int, timestamptz) is
'Messages that the daily cap of a campaign leaves for today; null without a cap.';
