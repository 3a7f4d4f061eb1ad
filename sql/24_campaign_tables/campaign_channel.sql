create table if not exists retoma_internal.campaign_channel (
  campaign_id int not null references retoma_internal.campaign (id) on delete cascade,
  channel_id int not null references retoma_internal.channel (id),
  last_leased_at timestamptz not null default '-infinity',
  fault text check (fault <> ''),
  judged int not null default 0,
  primary key (campaign_id, channel_id)
);

create index if not exists campaign_channel_channel_idx on retoma_internal.campaign_channel (channel_id);

comment on table retoma_internal.campaign_channel is 'Which channels may send a campaign.';
comment on column retoma_internal.campaign_channel.last_leased_at is
'When this channel last leased a batch of this campaign. The campaign that waited longest is served first.';
comment on column retoma_internal.campaign_channel.fault is
'Why the channel cannot send the template of the campaign, in words. Then it leases nothing of this campaign. Null when
it can, and when that is not known. Kept for campaigns that are running or that their channels interrupted.';
comment on column retoma_internal.campaign_channel.judged is
'The reading.changes by which fault was found. When the two differ, a tick judges again.';
