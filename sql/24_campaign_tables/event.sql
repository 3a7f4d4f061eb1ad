create table if not exists retoma_internal.event (
  id bigint generated always as identity primary key,
  at timestamptz not null default retoma.clock(),
  actor text not null default session_user,
  subject text not null check (subject in ('channel', 'campaign', 'batch', 'runner')),
  channel_id int,
  campaign_id int,
  batch_id bigint,
  runner_id uuid,
  from_state text,
  to_state text not null,
  code text,
  why text
);

create index if not exists event_campaign_idx on retoma_internal.event (campaign_id, id) where campaign_id is not null;
create index if not exists event_at_idx on retoma_internal.event (at);

comment on table retoma_internal.event is
'Audit: every change of state of channels, campaigns, batches and runners, with time, database role, old state, new
state and reason. Append-only.';
comment on column retoma_internal.event.code is
'Reason for programs. For a batch: how its lease ended (runner_gone, released, lease_expired), or commits_lost: its
runner knew more than this server.';
