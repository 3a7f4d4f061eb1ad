create or replace function retoma.blocking_session() returns text
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select retoma_internal.oldest_transaction();
end;

comment on function retoma.blocking_session() is
'After an error 55P03 (a lock was not available in time): the session that most likely holds it, in words. Null when
there is none any more.';
