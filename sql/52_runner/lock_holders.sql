-- A transaction that has locked or written rows of a table keeps a lock on the table that is stronger than that of a
-- reader. For sessions of other roles, an owner without pg_read_all_stats sees no state and no time.
create or replace function retoma_internal.lock_holders(
  out pid int, out role name, out application text, out state text, out since timestamptz, out tables text[]
) returns setof record
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select l.pid, a.usename, a.application_name, a.state, a.xact_start, array_agg(distinct c.relname::text)
  from pg_locks as l
  inner join pg_class as c on l.relation = c.oid
  inner join pg_namespace as n on c.relnamespace = n.oid
  inner join pg_stat_activity as a on l.pid = a.pid
  where l.locktype = 'relation' and l.granted and l.mode <> 'AccessShareLock' and l.pid <> pg_backend_pid()
    and l.database = (select d.oid from pg_database as d where d.datname = current_database())
    and n.nspname in ('retoma', 'retoma_internal', 'procrastinate') and c.relkind in ('r', 'p')
  group by l.pid, a.usename, a.application_name, a.state, a.xact_start;
end;

comment on function retoma_internal.lock_holders() is
'The other sessions whose transactions hold locks on tables of Retoma. since: when the transaction began.';
