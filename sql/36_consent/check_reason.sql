create or replace function retoma_internal.check_reason(p_reason text) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_reason is null or p_reason not in ('opt_out', 'complaint', 'invalid', 'imported') then
    raise exception using errcode = 'RT003', constraint = 'unknown_reason',
      message = format('%s is not a reason for suppression', coalesce(quote_literal(p_reason), 'null')),
      hint = 'opt_out, complaint, invalid or imported';
  end if;
end;
$$;

comment on function retoma_internal.check_reason(text) is 'Error RT003 when p_reason is not a reason for suppression.';
