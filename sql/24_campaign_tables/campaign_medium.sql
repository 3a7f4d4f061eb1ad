create table if not exists retoma_internal.campaign_medium (
  campaign_id int not null references retoma_internal.campaign (id) on delete cascade,
  variant smallint not null,
  path jsonb not null check (jsonb_typeof(path) = 'array'),
  medium text not null,
  name text not null,
  sha256 bytea not null,
  primary key (campaign_id, variant, path)
);

create index if not exists campaign_medium_name_idx on retoma_internal.campaign_medium (name);
create index if not exists campaign_medium_sha256_idx on retoma_internal.campaign_medium (sha256);

comment on table retoma_internal.campaign_medium is
'Which stored files the contents of each campaign say, and where. Fixed with the content.';
comment on column retoma_internal.campaign_medium.path is
'Names, and indexes from 0, from the content to the object that has the name of the file.';
comment on column retoma_internal.campaign_medium.medium is 'image, video, document or audio.';
comment on column retoma_internal.campaign_medium.sha256 is
'Of the file. It may be removed when the campaign is over.';
