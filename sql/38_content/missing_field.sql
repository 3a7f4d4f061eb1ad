create or replace function retoma_internal.missing_field(p_content jsonb) returns text
language sql stable
begin atomic
  with part as (
    select p.field, p.place, p.within, p.value from retoma_internal.content_parts(p_content) as p
    union all
    select '', '', null, p_content
  ),

  -- The fields that each object may have, and whether it has them.
  expected as (
    select
      o.place,
      f.field,
      f.required,
      f.alternative,
      f.beside,
      ltrim(substr(f.field, length(o.field) + 1), '.') as name,
      o.value ? ltrim(substr(f.field, length(o.field) + 1), '.') as is_there,
      o.value
    from part as o
    inner join retoma_internal.content_field as f
      on f.kind = p_content ->> 'kind' and f.field ~ '[^]]$'
      and o.field = case when f.field ~ '[.]' then regexp_replace(f.field, '[.][^.]+$', '') else '' end
    where jsonb_typeof(o.value) = 'object'
  ),

  fault as (
    select e.place, format('%s is missing', ltrim(e.place || '.' || e.name, '.')) as words
    from expected as e
    where e.required and not e.is_there
    union all
    select e.place, format('%s stands only beside %s', ltrim(e.place || '.' || e.name, '.'), e.beside)
    from expected as e
    where e.is_there and not e.value ? e.beside
    union all
    select
      e.place,
      format('%s needs exactly one of: %s', e.place, string_agg(e.name, ', ' order by e.name))
    from expected as e
    where e.alternative
    group by e.place
    having count(*) filter (where e.is_there) <> 1
  )

  select f.words from fault as f order by f.place, f.words limit 1;
end;

comment on function retoma_internal.missing_field(jsonb) is
'In words, a field that a content lacks, or one of two that exclude each other; null when there is none.';
