create or replace function retoma_internal.open_zones(
  p_channel_id int, p_now timestamptz, out campaign_id int, out zone text
) returns setof record
language sql stable
begin atomic
  select z.campaign_id, z.zone
  from retoma_internal.campaign_channel as cc
  inner join retoma_internal.zones_that_may_send(p_now) as z on cc.campaign_id = z.campaign_id
  where cc.channel_id = p_channel_id and cc.fault is null
    and z.campaign_id <> all(array(
      select w.campaign_id from retoma_internal.medium_wait as w where w.channel_id = p_channel_id
    ))
  order by cc.last_leased_at, z.campaign_id, z.zone;
end;

comment on function retoma_internal.open_zones(int, timestamptz) is
'The zones to which running campaigns of a channel may send at p_now, in the order in which they are served. Without the
campaigns whose template the channel cannot send, and those that say a stored file which it does not have yet.';
