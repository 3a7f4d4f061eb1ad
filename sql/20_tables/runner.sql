create table if not exists retoma_internal.runner (
  id uuid primary key,
  name text not null,
  lock_key int generated always as identity unique,
  server_started_at timestamptz not null,
  registered_at timestamptz not null default retoma.clock(),
  last_seen_at timestamptz not null default retoma.clock(),
  stopped_at timestamptz
) with (fillfactor = 50);

comment on table retoma_internal.runner is
'Runner processes that have registered. A session of each live runner holds its advisory lock.';
comment on column retoma_internal.runner.lock_key is 'Second key of its advisory lock; see runner_lock_class().';
comment on column retoma_internal.runner.server_started_at is
'Start of the server on which the runner registered. After a restart of the server, a missing lock says nothing about
the process.';
