-- Only the parser of the runner knows Liquid, so what has a brace is checked when it is rendered. Here it may be as
-- long as the parser reads.
create or replace function retoma_internal.check_lengths(p_content jsonb, p_channel_ids int[]) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_fault record;
begin
  select v.place, v.length, v.maximum into v_fault
  from (
    select p.place, length(p.value #>> '{}') as length,
      case when strpos(p.value #>> '{}', '{') > 0 then 65536 else least(l.maximum, 65536) end as maximum
    from retoma_internal.content_parts(p_content) as p
    left join retoma_internal.content_limits(p_content ->> 'kind', p_channel_ids) as l on p.field = l.field
    where jsonb_typeof(p.value) = 'string'
  ) as v
  where v.length > v.maximum
  order by v.place
  limit 1;
  if found then
    raise exception using errcode = 'RT003', constraint = 'text_too_long',
      message = format('%s has %s characters, at most %s', v_fault.place, v_fault.length, v_fault.maximum),
      hint = 'Shorten it; retoma.content_kinds has what each transport takes';
  end if;
  select v.place, v.count, l.maximum into v_fault
  from (
    select p.field, p.place, jsonb_array_length(p.value) as count
    from retoma_internal.content_parts(p_content) as p where jsonb_typeof(p.value) = 'array'
    union all
    select a.name, a.name || ' in all', count(*)
    from retoma_internal.content_parts(p_content) as p
    cross join lateral substring(p.field, '[.]([^.[]+)[[][]]$') as a (name)
    group by a.name
  ) as v
  inner join retoma_internal.content_limits(p_content ->> 'kind', p_channel_ids) as l on v.field = l.field
  where v.count > l.maximum
  order by v.place
  limit 1;
  if found then
    raise exception using errcode = 'RT003', constraint = 'too_many',
      message = format('%s has %s elements, at most %s', v_fault.place, v_fault.count, v_fault.maximum),
      hint = 'Leave some out; retoma.content_kinds has what each transport takes';
  end if;
end;
$$;

comment on function retoma_internal.check_lengths(jsonb, int[]) is
'Error RT003 when a text of a content is longer, or a list has more elements, than one of these channels takes.';
