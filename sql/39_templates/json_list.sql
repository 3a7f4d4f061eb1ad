create or replace function retoma_internal.json_list(p_value jsonb, out item jsonb, out place int) returns setof record
language sql immutable
begin atomic
  select l.item, l.place::int
  from jsonb_array_elements(case when jsonb_typeof(p_value) = 'array' then p_value else '[]' end)
    with ordinality as l (item, place);
end;

comment on function retoma_internal.json_list(jsonb) is
'The elements of a JSON array, with their places from 1. None for anything else.';
