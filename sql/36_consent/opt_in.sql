-- Takes effect at the next reservation of any runner. Locks only the row of the number.
create or replace function retoma.opt_in(p_phone text, p_source text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.check_phone(p_phone);
  perform retoma_internal.check_length('the source of an opt-in', p_source, 500);
  if coalesce(p_source, '') = '' then
    raise exception using errcode = 'RT003', constraint = 'source_missing',
      message = 'an opt-in needs its source',
      hint = 'Say where the person agreed, for example ''web form, 2026-01-31''';
  end if;
  delete from retoma_internal.suppression as s where s.suppression_key = retoma_internal.suppression_key(p_phone);
  insert into retoma_internal.consent (suppression_key, phone, given, source)
  values (retoma_internal.suppression_key(p_phone), p_phone, true, p_source);
end;
$$;

comment on function retoma.opt_in(text, text) is
'The person agreed (again) to be contacted: removes this E.164 number from the suppression list and keeps the proof.
p_source: where the person agreed, for the record, in up to 500 characters.
Error RT003: not an E.164 number, or no source.';
