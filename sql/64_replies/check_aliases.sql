create or replace function retoma_internal.check_aliases(p_aliases jsonb) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_aliases) is distinct from 'array' or exists (
    select from jsonb_array_elements(p_aliases) as a (item)
    where jsonb_typeof(a.item) <> 'object'
      or coalesce(length(a.item ->> 'address'), 0) not between 1 and 200
      or length(a.item ->> 'previous') not between 1 and 200
      or coalesce(a.item ->> 'phone', a.item ->> 'message_id', a.item ->> 'previous') is null
  ) then
    raise exception using errcode = 'RT003', constraint = 'bad_alias',
      message = 'aliases are a JSON array of objects with address, and phone, message_id or previous',
      hint = '[{"address": "123@lid", "phone": "+5511955501234", "at": "2026-01-01T12:00:00Z"}];'
        ' an address has at most 200 characters';
  end if;
  -- is_e164 decides, because check_phone costs more, and every status of a provider can name its person.
  perform retoma_internal.check_phone(a.item ->> 'phone')
  from jsonb_array_elements(p_aliases) as a (item)
  where a.item ->> 'phone' is not null and not retoma_internal.is_e164(a.item ->> 'phone');
end;
$$;

comment on function retoma_internal.check_aliases(jsonb) is
'Error RT003 when p_aliases are not as record_aliases takes them.';
