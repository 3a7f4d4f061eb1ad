create table if not exists retoma_internal.reading (
  channel_id int not null references retoma_internal.channel (id) on delete cascade,
  about text not null check (about in ('account', 'templates')),
  settings_hash bigint not null,
  asked_at timestamptz not null,
  next_at timestamptz not null,
  known boolean not null default false,
  read_at timestamptz,
  fault text check (fault <> ''),
  changes int not null default 0,
  primary key (channel_id, about)
);

comment on table retoma_internal.reading is
'When the provider of a channel was last asked for something of transport_reading, and whether the rows of "account" or
"template" can be relied on.';
comment on column retoma_internal.reading.settings_hash is
'Of the settings of the channel at that time. With other settings, all is asked again, and nothing is known before.';
comment on column retoma_internal.reading.known is 'Whether an answer has come since the settings changed.';
comment on column retoma_internal.reading.read_at is 'When the last answer came.';
comment on column retoma_internal.reading.fault is 'Why no answer came the last time, in words; or null.';
comment on column retoma_internal.reading.changes is
'How often an answer or a report may have changed what is known; see campaign_channel.judged.';
