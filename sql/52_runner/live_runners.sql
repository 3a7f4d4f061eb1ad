-- A frozen process keeps its session. So a runner is alive only while its session holds its lock and it was last seen
-- within the duration of a lease.
create or replace function retoma_internal.live_runners() returns setof uuid
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select r.id
  from retoma_internal.runner as r
  where r.stopped_at is null and r.id = any(array(select c from retoma_internal.connected_runners() as c))
    and r.last_seen_at > retoma.clock() - (select s.lease_duration from retoma.setting as s);
end;

comment on function retoma_internal.live_runners() is 'Ids of the runners that are alive.';
