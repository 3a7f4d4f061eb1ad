-- Called only after a receipt was refused, because each time is tried in a subtransaction. (PostgreSQL 16 has
-- pg_input_is_valid, 15 has not.)
create or replace function retoma_internal.first_bad_time(p_receipts jsonb) returns text
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_at text;
begin
  for v_at in
    select r.item ->> 'at'
    from jsonb_array_elements(p_receipts) with ordinality as r (item, place)
    order by r.place
  loop
    begin
      perform v_at::timestamptz;
    exception
      when invalid_datetime_format or datetime_field_overflow or invalid_parameter_value then
        return v_at;
    end;
  end loop;
  return null;
end;
$$;

comment on function retoma_internal.first_bad_time(jsonb) is
'The first "at" of p_receipts that is not a time; null when there is none.';
