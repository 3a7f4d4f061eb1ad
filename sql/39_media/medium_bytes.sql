create or replace function retoma.medium_bytes(p_sha256 bytea) returns bytea
language sql stable security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select d.data from retoma_internal.medium_data as d where d.sha256 = p_sha256;
end;

comment on function retoma.medium_bytes(bytea) is
'For runners: the bytes of a stored file, by their SHA-256; null when it was removed.';
