create or replace function retoma_internal.template_variables(p_text text) returns text[]
language sql immutable
begin atomic
  select coalesce(array_agg(distinct m.found[1] collate "C" order by m.found[1] collate "C"), '{}')
  from regexp_matches(p_text, '\{\{\s*([A-Za-z0-9_]+)\s*\}\}', 'g') as m (found);
end;

comment on function retoma_internal.template_variables(text) is
'The variables in a text of a template, without repeats: {{1}} is 1, {{name}} is name.';
