create or replace function retoma_internal.check_phone(p_phone text) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.insist_on_read_committed();
  if p_phone is null or p_phone !~ '^[+][1-9][0-9]{6,14}$' then
    raise exception using errcode = 'RT003', constraint = 'not_e164',
      message = 'this is not an E.164 number',
      hint = 'Write it with + and country code, digits only, such as +5511955501234';
  end if;
end;
$$;

comment on function retoma_internal.check_phone(text) is 'Error RT003 when p_phone is not an E.164 number.';
