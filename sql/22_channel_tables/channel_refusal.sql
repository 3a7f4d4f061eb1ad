create table if not exists retoma_internal.channel_refusal (
  channel_id int not null references retoma_internal.channel (id) on delete cascade,
  runner_id uuid not null references retoma_internal.runner (id) on delete cascade,
  reason text not null,
  at timestamptz not null default retoma.clock(),
  primary key (channel_id, runner_id)
);

comment on table retoma_internal.channel_refusal is
'Channels that a runner leaves to the others, because it lacks something that the channel requires.';
