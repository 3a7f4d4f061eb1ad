create table if not exists retoma_internal.campaign_zone (
  campaign_id int not null references retoma_internal.campaign (id) on delete cascade,
  zone text not null,
  primary key (campaign_id, zone)
);

comment on table retoma_internal.campaign_zone is
'The zones of the batches of a campaign; one empty zone when it has no windows. Written by start_campaign.';
