-- A sender account. "connected" and "paused" are independent, so that a reconnect does not end the pause of an
-- operator.
create table if not exists retoma_internal.channel (
  id int generated always as identity primary key,
  name text not null unique check (name ~ '^[a-z0-9][a-z0-9_.-]{0,62}$'),
  transport text not null references retoma.transport (name),
  channel_group_id int references retoma_internal.channel_group (id),
  settings jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  settings_version int not null default 1,
  dedupes text[] not null default '{}',
  id_taken text[] not null default '{}',
  id_ignored text[] not null default '{}',
  looks_up boolean not null default false,
  connected boolean not null default true,
  paused boolean not null default false,
  state_reason text,
  stated_at timestamptz not null default '-infinity',
  reported_at timestamptz not null default '-infinity',
  max_in_flight int not null default 1 check (max_in_flight between 1 and 10000),
  max_leases int not null default 1 check (max_leases between 1 and 64),
  created_at timestamptz not null default retoma.clock()
);

comment on table retoma_internal.channel is
'Sender accounts: how to reach the provider, and whether it can be reached now.';
comment on column retoma_internal.channel.channel_group_id is 'The group whose limits it shares; null: none.';
comment on column retoma_internal.channel.settings is
'Address and credentials for the transport. For a secret env:RETOMA_SECRET_NAME the runner reads this variable of its
environment, for file:NAME a file in its RETOMA_SECRETS_DIRECTORY.';
comment on column retoma_internal.channel.settings_version is
'Grows when messages go to another provider, or when it promises something else. What was sent under an earlier version
is not judged by the settings of today.';
comment on column retoma_internal.channel.dedupes is
'Kinds of content that the provider dedupes: it shows a repeated message id only once, so a message in doubt of this
kind may be sent again.';
comment on column retoma_internal.channel.id_taken is
'Kinds of content for which an answer of this provider has shown that it took our id.';
comment on column retoma_internal.channel.id_ignored is
'Kinds of content for which an answer of this provider has shown another id than ours. It is trusted again after new
settings that decide where messages go.';
comment on column retoma_internal.channel.looks_up is 'Whether the provider can say if it has a message with our id.';
comment on column retoma_internal.channel.stated_at is
'When an operator or a runner last said whether it is connected.';
comment on column retoma_internal.channel.reported_at is
'When the provider saw the last change of the connection that it reported, by its own clock.';
comment on column retoma_internal.channel.max_in_flight is 'Requests that may be under way at once, per lease.';
comment on column retoma_internal.channel.max_leases is
'Batches of this channel that may be leased at once; 1 when it has gaps between messages.';
