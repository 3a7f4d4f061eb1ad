-- Declared immutable, so that a plan holds the list and a session reads it once. Reading takes 10 to 20 ms, because the
-- list is spread over 600 files. Only an update of the server changes them.
create or replace function retoma_internal.time_zone_names() returns text[]
language sql immutable
begin atomic
  select array_agg(z.name) from pg_timezone_names as z;
end;

comment on function retoma_internal.time_zone_names() is
'Names of the time zones that the server knew when this session asked for the first time.';
