-- Takes no lock except those of ring().
create or replace function retoma_internal.ring_campaign(p_campaign_id int) returns void
language sql volatile
begin atomic
  select retoma.ring(array_agg(c.id))
  from retoma_internal.campaign_channel as cc
  inner join retoma_internal.channel as c on cc.channel_id = c.id
  where cc.campaign_id = p_campaign_id and c.connected and not c.paused;
end;

comment on function retoma_internal.ring_campaign(int) is 'Rings those channels of a campaign that can send.';
