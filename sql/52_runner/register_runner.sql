-- Takes a shared advisory lock in the calling session. The lock ends with the session, within milliseconds after the
-- process. Its key is random, and a key that another session holds is not waited for. After a lost connection, the old
-- session can still be open when the same runner registers again: from then on only the new one counts.
create or replace function retoma.register_runner(p_runner_id uuid, p_name text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_key int;
begin
  perform retoma_internal.insist_on_read_committed();
  if p_runner_id is null or coalesce(p_name, '') = '' then
    raise exception using errcode = 'RT003', constraint = 'runner_incomplete',
      message = 'a runner needs an id and a name',
      hint = 'select retoma.register_runner(gen_random_uuid(), ''runner-1'')';
  end if;
  perform retoma_internal.check_length('the name of a runner', p_name, 200);
  loop
    v_key := ('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint & 2147483647;
    exit when pg_try_advisory_lock_shared(retoma_internal.runner_lock_class(), v_key);
  end loop;
  insert into retoma_internal.runner as r (id, name, lock_key, session_pid, server_started_at)
  values (p_runner_id, p_name, v_key, pg_backend_pid(), pg_postmaster_start_time())
  on conflict (id) do update
  set
    lock_key = excluded.lock_key, session_pid = excluded.session_pid,
    server_started_at = excluded.server_started_at, last_seen_at = retoma.clock(), stopped_at = null;
end;
$$;

comment on function retoma.register_runner(uuid, text) is
'For runners: registers the calling runner, or registers it again after a lost connection. p_runner_id: chosen by the
runner, one per process. p_name: for people. The calling session is its sign of life: keep it open, and connect
directly, not through a transaction pooler. Error RT003: no id, no name, or more than 200 characters in
it.';
