create or replace function retoma_internal.template_component(p_components jsonb, p_type text) returns jsonb
language sql immutable
begin atomic
  select l.item
  from retoma_internal.json_list(p_components) as l
  where upper(l.item ->> 'type') = p_type
  order by l.place
  limit 1;
end;

comment on function retoma_internal.template_component(jsonb, text) is
'The component of this type (HEADER, BODY, BUTTONS …) of a template or a card; null when it has none.';
