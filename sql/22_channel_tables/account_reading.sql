create table if not exists retoma_internal.account_reading (
  channel_id int primary key references retoma_internal.channel (id) on delete cascade,
  settings_hash bigint not null,
  asked_at timestamptz not null,
  next_at timestamptz not null,
  read_at timestamptz,
  fault text check (fault <> ''),
  connected boolean,
  server text,
  quality text,
  people_per_day int,
  rate_per_s double precision
);

comment on table retoma_internal.account_reading is
'What the provider says of the account of each channel, and when it was last asked; see record_account.';
comment on column retoma_internal.account_reading.settings_hash is
'Of the settings of the channel at that time. With other settings, all is asked again.';
comment on column retoma_internal.account_reading.fault is 'Why it said nothing the last time, in words; or null.';
comment on column retoma_internal.account_reading.connected is 'Whether the account works; null: it does not say.';
comment on column retoma_internal.account_reading.server is 'Name and version of a gateway.';
comment on column retoma_internal.account_reading.quality is 'What people think of the messages, in its words.';
comment on column retoma_internal.account_reading.people_per_day is
'To how many people the account may begin a conversation in any 24 hours; null: no limit, or it does not say.';
comment on column retoma_internal.account_reading.rate_per_s is 'Messages per second; null: it does not say.';
