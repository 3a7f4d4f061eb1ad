create or replace function retoma_internal.check_shape(p_content jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_kind text := p_content ->> 'kind';
  v_names text[];
  v_words text;
begin
  select array_agg(p.place order by p.place) into v_names
  from retoma_internal.content_parts(p_content) as p where p.type is null;
  if v_names is not null then
    raise exception using errcode = 'RT003', constraint = 'unknown_key',
      message = format('a content of the kind %s has no field %s', v_kind, retoma_internal.listed(v_names)),
      hint = 'Its fields: ' || (
        select string_agg(f.field, ', ' order by f.field)
        from retoma_internal.content_field as f where f.kind = v_kind
      );
  end if;
  v_words := coalesce(
    retoma_internal.wrong_type(p_content), retoma_internal.missing_field(p_content),
    retoma_internal.repeated_value(p_content)
  );
  if v_words is not null then
    raise exception using errcode = 'RT003', constraint = 'bad_field', message = v_words,
      hint = format('docs/guide/content.md shows a content of the kind %s', v_kind);
  end if;
end;
$$;

comment on function retoma_internal.check_shape(jsonb) is
'Error RT003 when a content of a known kind has a field that is unknown, missing, of another type or repeated.';
