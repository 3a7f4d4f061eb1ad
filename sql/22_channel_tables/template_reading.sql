create table if not exists retoma_internal.template_reading (
  channel_id int primary key references retoma_internal.channel (id) on delete cascade,
  settings_hash bigint not null,
  asked_at timestamptz not null,
  next_at timestamptz not null,
  known boolean not null default false,
  read_at timestamptz,
  fault text check (fault <> ''),
  changes int not null default 0
);

comment on table retoma_internal.template_reading is
'When the templates of a channel were last asked for, and whether its rows of "template" can be relied on.';
comment on column retoma_internal.template_reading.settings_hash is
'Of the settings of the channel at that time. With other settings, all is asked again, and nothing is known before.';
comment on column retoma_internal.template_reading.known is
'Whether a list has come since the settings changed. Only then a campaign is judged by it.';
comment on column retoma_internal.template_reading.read_at is 'When the last list came.';
comment on column retoma_internal.template_reading.fault is 'Why no list came the last time, in words; or null.';
comment on column retoma_internal.template_reading.changes is
'How often a list or a report may have changed what is known of the templates; see campaign_channel.judged.';
