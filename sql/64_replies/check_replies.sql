create or replace function retoma_internal.check_replies(p_replies jsonb) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_replies) is distinct from 'array' or exists (
    select from jsonb_array_elements(p_replies) as r (item)
    where jsonb_typeof(r.item) <> 'object'
      or coalesce(r.item ->> 'phone', r.item ->> 'address', '') = ''
      or coalesce(r.item ->> 'text', r.item ->> 'button') is null
      or jsonb_typeof(r.item -> 'opts_out') not in ('boolean', 'null')
      or length(r.item ->> 'address') > 200 or length(r.item ->> 'provider_id') > 500
  ) then
    raise exception using errcode = 'RT003', constraint = 'bad_reply',
      message = 'replies are a JSON array of objects with phone or address, and a text or a button',
      hint = '[{"phone": "+5511955501234", "text": "SAIR", "provider_id": "…", "at": "2026-01-01T12:00:00Z"}];'
        ' an address has at most 200 characters, a provider_id at most 500';
  end if;
  perform retoma_internal.check_phone(r.item ->> 'phone')
  from jsonb_array_elements(p_replies) as r (item)
  where r.item ->> 'phone' is not null;
end;
$$;

comment on function retoma_internal.check_replies(jsonb) is
'Error RT003 when p_replies are not as record_inbound takes them.';
