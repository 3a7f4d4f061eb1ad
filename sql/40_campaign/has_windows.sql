create or replace function retoma.has_windows(p_campaign_id int) returns boolean
language sql stable
begin atomic
  select exists(select from retoma.campaign_rule as r where r.campaign_id = p_campaign_id and r.kind = 'window');
end;

comment on function retoma.has_windows(int) is 'Whether the campaign may send at certain times of the day only.';
