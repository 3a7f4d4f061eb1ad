-- An index is counted in its own list, and every other value in the whole content.
create or replace function retoma_internal.repeated_value(p_content jsonb) returns text
language sql stable
begin atomic
  select format('%s has the same value as another one', max(p.place))
  from retoma_internal.content_parts(p_content) as p
  inner join retoma_internal.content_field as f on f.kind = p_content ->> 'kind' and p.field = f.field
  where f.distinct_values or f.type = 'index'
  group by p.field, p.value, case when f.type = 'index' then regexp_replace(p.place, '\[\d+\][.]index$', '') end
  having count(*) > 1
  order by max(p.place)
  limit 1;
end;

comment on function retoma_internal.repeated_value(jsonb) is
'In words, a value that stands twice in a content where all are distinct; null when there is none.';
