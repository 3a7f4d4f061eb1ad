-- A runner lives while its session holds its lock and it has been heard within a lease (a frozen process keeps its session).
create or replace function retoma.live_runners() returns setof uuid
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select r.id
  from retoma.runner as r
  where r.stopped_at is null and r.lock_key = any(array(select k from retoma.locked_runner_keys() as k))
    and r.last_seen_at > retoma.clock() - (select s.lease_duration from retoma.setting as s);
end;

comment on function retoma.live_runners() is 'Ids of the runners that live.';
