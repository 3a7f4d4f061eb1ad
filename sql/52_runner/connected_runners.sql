-- Everybody can read pg_locks and take an advisory lock that they see there. So the lock counts only in the session
-- that registered.
create or replace function retoma_internal.connected_runners() returns setof uuid
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select r.id
  from pg_locks as l
  inner join retoma_internal.runner as r on l.objid::bigint = r.lock_key and l.pid = r.session_pid
  where l.locktype = 'advisory' and l.classid::bigint = retoma_internal.runner_lock_class()
    and l.objsubid = 2 and l.granted
    and l.database = (select d.oid from pg_database as d where d.datname = current_database());
end;

comment on function retoma_internal.connected_runners() is 'Ids of the runners whose session is open.';
