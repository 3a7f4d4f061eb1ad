-- The variables that a Liquid text requires: those of {{ … }} outputs at the top level, except those with a default
-- filter and those that the text itself sets (assign, capture, for, increment). Variables inside {% if … %} are
-- optional.
create or replace function retoma_internal.template_variables(p_body text) returns text[]
language sql immutable
begin atomic
  select coalesce(array_agg(distinct v.name order by v.name), '{}')
  from (
    select o[1] as name
    from regexp_matches(
      regexp_replace(p_body, '\{%-?\s*(if|unless|case|comment|raw)\M.*?\{%-?\s*end\1\s*-?%\}', '', 'g'),
      '\{\{-?\s*([a-zA-Z_][\w]*)(?![^}]*\|\s*default\s*:)', 'g'
    ) as o
  ) as v
  where v.name not in ('true', 'false', 'nil', 'null', 'empty', 'blank', 'forloop', 'phone')
    and p_body !~ ('\{%-?\s*(assign|capture|for|increment|decrement)\s+' || v.name || '\y');
end;

comment on function retoma_internal.template_variables(text) is
'Variables that every recipient must have for this Liquid text: {{ name }} counts, {{ name | default: "you" }} does
not.';
