-- Refuses settings with which the transport could not send.
create or replace function retoma_internal.check_settings(p_transport text, p_settings jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_missing text;
  v_unknown text;
  v_known text;
begin
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise exception using errcode = 'RT003', constraint = 'not_an_object',
      message = format('settings are a JSON object, not %s', coalesce(jsonb_typeof(p_settings), 'null')),
      hint = 'For example {"url": "http://127.0.0.1:8080/messages"}';
  end if;
  select string_agg(k, ', ' order by k) into v_missing
  from retoma.transport as t, unnest(t.required_settings) as k
  where t.name = p_transport and coalesce(p_settings ->> k, '') = '';
  if v_missing is not null then
    raise exception using errcode = 'RT003', constraint = 'settings_missing',
      message = format('transport %L needs these settings: %s', p_transport, v_missing),
      hint = 'Give them as text in the settings object; a value env:NAME is read from the runner''s environment';
  end if;
  select
    string_agg(k, ', ' order by k) filter (where k <> all(t.required_settings || t.optional_settings)),
    array_to_string(t.required_settings || t.optional_settings, ', ')
  into v_unknown, v_known
  from retoma.transport as t, jsonb_object_keys(p_settings) as k
  where t.name = p_transport
  group by t.name;
  if v_unknown is not null then
    raise exception using errcode = 'RT003', constraint = 'unknown_key',
      message = format('transport %L has no settings called %s', p_transport, v_unknown),
      hint = 'It knows: ' || v_known;
  end if;
  if exists (
    select from jsonb_each_text(p_settings) as s
    where s.key in ('url', 'base_url') and s.value !~ '^(https?://[^[:space:]]+|env:.+)$'
  ) then
    raise exception using errcode = 'RT003', constraint = 'not_a_url',
      message = 'the address in the settings is not a URL',
      hint = 'It begins with http:// or https://';
  end if;
end;
$$;

comment on function retoma_internal.check_settings(text, jsonb) is
'Error RT003 when settings lack what the transport requires, or have what it does not know.';
