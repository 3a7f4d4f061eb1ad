create or replace function retoma_internal.check_length(p_what text, p_text text, p_most int) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if length(p_text) > p_most then
    raise exception using errcode = 'RT003', constraint = 'too_long',
      message = format('%s has %s characters, but at most %s are allowed', p_what, length(p_text), p_most),
      hint = 'Shorten it';
  end if;
end;
$$;

comment on function retoma_internal.check_length(text, text, int) is
'Error RT003 when p_text has more than p_most characters. p_what: what it is, for the message. Null is accepted.';
