create or replace function retoma_internal.matches_any(p_settings jsonb, p_patterns jsonb) returns boolean
language sql immutable parallel safe
begin atomic
  select coalesce(bool_or(p_settings @> p.pattern), false) from jsonb_array_elements(p_patterns) as p (pattern);
end;

comment on function retoma_internal.matches_any(jsonb, jsonb) is
'Whether p_settings contain one of p_patterns: all of its keys, with the same values.';
