create or replace function retoma_internal.locked_runner_keys() returns setof int
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select l.objid::bigint::int
  from pg_locks as l
  where l.locktype = 'advisory' and l.classid::bigint = retoma_internal.runner_lock_class()
    and l.objsubid = 2 and l.granted
    and l.database = (select d.oid from pg_database as d where d.datname = current_database());
end;

comment on function retoma_internal.locked_runner_keys() is 'Lock keys of the runners whose session is open.';
