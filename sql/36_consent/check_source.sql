create or replace function retoma_internal.check_source(p_source text) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.check_length('the source of an opt-in', p_source, 500);
  if coalesce(p_source, '') = '' then
    raise exception using errcode = 'RT003', constraint = 'source_missing',
      message = 'an opt-in needs its source',
      hint = 'Say where the person agreed, for example ''web form, 2026-01-31''';
  end if;
end;
$$;

comment on function retoma_internal.check_source(text) is
'Error RT003 when an opt-in has no source, or one of more than 500 characters.';
