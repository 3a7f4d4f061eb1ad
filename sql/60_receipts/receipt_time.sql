-- PostgreSQL 16 has pg_input_is_valid, 15 has not.
create or replace function retoma_internal.receipt_time(p_at text) returns timestamptz
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  return case when isfinite(p_at::timestamptz) then p_at::timestamptz end;
exception
  when data_exception then
    return null;
end;
$$;

comment on function retoma_internal.receipt_time(text) is 'p_at as a time; null when it is not one.';
