create table if not exists retoma_internal.runner (
  id uuid primary key,
  name text not null,
  lock_key int not null,
  session_pid int not null,
  server_started_at timestamptz not null,
  registered_at timestamptz not null default retoma.clock(),
  last_seen_at timestamptz not null default retoma.clock(),
  ticked_at timestamptz,
  stopped_at timestamptz
) with (fillfactor = 50);

comment on table retoma_internal.runner is
'Runner processes that have registered. The session of each live runner holds its advisory lock.';
comment on column retoma_internal.runner.lock_key is
'Second key of its advisory lock; see runner_lock_class(). Random, so that no other session can take it before.';
comment on column retoma_internal.runner.session_pid is
'Process id of the session that registered. Another session that holds the same advisory lock proves nothing.';
comment on column retoma_internal.runner.server_started_at is
'Start of the server on which the runner registered. After a restart of the server, a missing lock says nothing about
the process.';
comment on column retoma_internal.runner.ticked_at is
'Start of the last tick in which this runner did the work; see tick. Null: not yet.';
