-- A name that is free, below texts or json, is not part of the field. So no name that a caller chooses can stand for
-- another field; elsewhere, a name with a dot or a bracket is no field of any kind.
create or replace function retoma_internal.content_parts(
  p_content jsonb, out field text, out place text, out within text, out path jsonb, out value jsonb, out type text
) returns setof record
language sql stable
begin atomic
  with recursive part as (
    select
      ''::text as field,
      ''::text as place,
      null::text as within,
      '[]'::jsonb as path,
      p_content as value,
      'object'::text as type
    union all
    select
      v.field,
      v.place,
      p.place as within,
      p.path || s.step,
      s.value,
      case when p.type in ('json', 'free') then 'free' else f.type end
    from part as p
    cross join lateral retoma_internal.json_children(p.value) as s
    cross join lateral (
      select
        case
          when p.type in ('json', 'free') then p.field
          when s.name is null or p.type = 'texts' then p.field || '[]'
          when s.name ~ '[.]|\[|\]' then '?'
          else ltrim(p.field || '.' || s.name, '.')
        end as field,
        case when s.name is null then p.place || format('[%s]', s.step) else ltrim(p.place || '.' || s.name, '.') end
          as place
    ) as v
    left join retoma_internal.content_field as f on f.kind = p_content ->> 'kind' and f.field = v.field
  )

  select p.field, p.place, p.within, p.path, p.value, p.type
  from part as p
  where p.within is not null and p.field <> 'kind';
end;

comment on function retoma_internal.content_parts(jsonb) is
'Every value inside a content. field: as in content_field; place: the same in words, as in buttons[2].title; within: the
place of what holds it; path: names and indexes from 0; type: of its field, free inside an object of anything, null when
there is no such field.';
