-- Takes effect at the next reservation of any runner. Locks only its own rows.
create or replace function retoma.opt_out(
  p_phone text, p_source text default 'operator', p_reason text default 'opt_out'
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.check_phone(p_phone);
  -- An opt-out is never refused for its words.
  p_source := left(p_source, 500);
  if p_reason is null or p_reason not in ('opt_out', 'complaint', 'invalid', 'imported') then
    raise exception using errcode = 'RT003', constraint = 'unknown_reason',
      message = format('%s is not a reason for suppression', coalesce(quote_literal(p_reason), 'null')),
      hint = 'opt_out, complaint, invalid or imported';
  end if;
  insert into retoma_internal.suppression (suppression_key, phone, reason, source)
  values (retoma_internal.suppression_key(p_phone), p_phone, p_reason, p_source)
  on conflict do nothing;
  insert into retoma_internal.consent (suppression_key, phone, given, source)
  values (retoma_internal.suppression_key(p_phone), p_phone, false, coalesce(p_source, 'operator'));
end;
$$;

comment on function retoma.opt_out(text, text, text) is
'From now on, no campaign contacts this E.164 number. p_source: where the person said so, for the record. p_reason:
opt_out, complaint, invalid or imported. Error RT003: not an E.164 number, or another reason.';
