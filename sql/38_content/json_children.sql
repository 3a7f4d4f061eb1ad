create or replace function retoma_internal.json_children(
  p_value jsonb, out name text, out step jsonb, out value jsonb
) returns setof record
language sql immutable
begin atomic
  select k.key, to_jsonb(k.key), k.value
  from jsonb_each(case when jsonb_typeof(p_value) = 'object' then p_value else '{}' end) as k
  union all
  select null, to_jsonb(e.n - 1), e.value
  from jsonb_array_elements(case when jsonb_typeof(p_value) = 'array' then p_value else '[]' end)
    with ordinality as e (value, n);
end;

comment on function retoma_internal.json_children(jsonb) is
'What a JSON value holds: the fields of an object with their names, or the elements of a list, whose name is null. step:
the name, or the index from 0.';
