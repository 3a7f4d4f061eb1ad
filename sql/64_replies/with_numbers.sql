create or replace function retoma_internal.with_numbers(p_space text, p_replies jsonb) returns jsonb
language sql stable
begin atomic
  select coalesce(jsonb_agg(
    case when r.item ->> 'phone' is null and k.phone is not null
      then r.item || jsonb_build_object('phone', k.phone) else r.item end
    order by r.place
  ), '[]')
  from jsonb_array_elements(p_replies) with ordinality as r (item, place)
  left join retoma_internal.alias as k on k.space = p_space and k.address = r.item ->> 'address';
end;

comment on function retoma_internal.with_numbers(text, jsonb) is
'These replies, with the number of each person whom the provider hides and an alias names.';
