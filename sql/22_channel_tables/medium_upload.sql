create table if not exists retoma_internal.medium_upload (
  channel_id int not null references retoma_internal.channel (id) on delete cascade,
  sha256 bytea not null,
  settings_hash bigint not null,
  asked_at timestamptz not null,
  next_at timestamptz not null,
  provider_id text check (provider_id <> ''),
  uploaded_at timestamptz,
  expires_at timestamptz,
  fault text check (fault <> ''),
  primary key (channel_id, sha256)
);

comment on table retoma_internal.medium_upload is 'Which files the provider of a channel has, and under which ids.';
comment on column retoma_internal.medium_upload.settings_hash is
'Of the settings of the channel at that time. With other settings, the provider may not know the id.';
comment on column retoma_internal.medium_upload.asked_at is 'When a runner last took the turn to upload it.';
comment on column retoma_internal.medium_upload.next_at is 'Before this, no other runner takes a turn.';
comment on column retoma_internal.medium_upload.provider_id is 'The id of the provider; null: there is none.';
comment on column retoma_internal.medium_upload.expires_at is 'When the provider forgets the id.';
comment on column retoma_internal.medium_upload.fault is 'Why the last upload failed, in words; or null.';
