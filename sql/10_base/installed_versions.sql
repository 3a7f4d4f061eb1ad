-- A runner, and "retoma db status" of any role, compare these rows with their own files. Takes no lock.
create or replace function retoma.installed_versions() returns table (component text, version text, checksum text)
language sql stable security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select v.component, v.version, v.checksum from retoma_internal.schema_version as v order by v.component, v.version;
end;

comment on function retoma.installed_versions() is
'The migrations that this database has: of retoma, where 0000 stands for sql/ with its hash, and of procrastinate. None
when the schema was installed from psql.';
