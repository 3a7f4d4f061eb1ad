create or replace function retoma_internal.wrong_type(p_content jsonb) returns text
language sql stable
begin atomic
  select case
    when p.type in ('text', 'line', 'link', 'number', 'time', 'word') then format('%s is not a text', p.place)
    when p.type = 'flag' then format('%s is neither true nor false', p.place)
    when p.type = 'index' then format('%s is not a whole number from 0', p.place)
    when p.type in ('list', 'texts') then format('%s is not a list, or has nothing in it', p.place)
    else format('%s is not an object', p.place)
  end
  from retoma_internal.content_parts(p_content) as p
  where not case
    when p.type in ('text', 'line', 'link', 'number', 'time', 'word') then jsonb_typeof(p.value) = 'string'
    when p.type = 'flag' then jsonb_typeof(p.value) = 'boolean'
    when p.type = 'index' then jsonb_typeof(p.value) = 'number' and p.value::text ~ '^[0-9]{1,3}$'
    when p.type = 'list' then jsonb_typeof(p.value) = 'array' and p.value <> '[]'
    when p.type = 'texts' then jsonb_typeof(p.value) in ('array', 'object') and p.value not in ('[]', '{}')
    when p.type = 'free' then true
    else jsonb_typeof(p.value) = 'object'
  end
  order by p.place
  limit 1;
end;

comment on function retoma_internal.wrong_type(jsonb) is
'In words, a field of a content that has not the type of its row in content_field; null when there is none.';
