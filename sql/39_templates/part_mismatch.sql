create or replace function retoma_internal.part_mismatch(
  p_components jsonb, p_part jsonb, p_named boolean
) returns text
language sql immutable
begin atomic
  select coalesce(
    retoma_internal.header_mismatch(
      retoma_internal.template_component(p_components, 'HEADER'), p_part -> 'header', p_named
    ),
    retoma_internal.body_mismatch(
      retoma_internal.template_component(p_components, 'BODY'), p_part -> 'body', p_named
    ),
    retoma_internal.buttons_mismatch(
      retoma_internal.template_component(p_components, 'BUTTONS'), p_part -> 'buttons'
    )
  );
end;

comment on function retoma_internal.part_mismatch(jsonb, jsonb, boolean) is
'Why header, body or buttons of a content, or of one of its cards, do not fit those of a template; null when they do.';
