create or replace function retoma.open_zones(
  p_channel_id int, p_now timestamptz, out campaign_id int, out zone text
) returns setof record
language sql stable
begin atomic
  select z.campaign_id, z.zone
  from retoma.campaign_channel as cc
  inner join retoma.campaign as c on cc.campaign_id = c.id
  inner join retoma.campaign_zone as z on c.id = z.campaign_id
  where cc.channel_id = p_channel_id and c.status = 'running'
    and retoma.window_is_open(c.id, z.zone, p_now) and retoma.cap_left(c.id, p_now) is distinct from 0
  order by cc.last_leased_at, c.id, z.zone;
end;

comment on function retoma.open_zones(int, timestamptz) is
'Running campaigns of a channel and their zones that may be sent to now, in the order in which they are served.';
