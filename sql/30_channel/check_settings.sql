-- Refuses settings with which the transport could not send.
create or replace function retoma.check_settings(p_transport text, p_settings jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_missing text;
begin
  if jsonb_typeof(p_settings) is distinct from 'object' then
    raise exception using errcode = 'RT003',
      message = format('settings are a JSON object, not %s', coalesce(jsonb_typeof(p_settings), 'null')),
      hint = 'For example {"url": "http://127.0.0.1:8080/messages"}';
  end if;
  select string_agg(k, ', ' order by k) into v_missing
  from retoma.transport as t, unnest(t.required_settings) as k
  where t.name = p_transport and coalesce(p_settings ->> k, '') = '';
  if v_missing is not null then
    raise exception using errcode = 'RT003',
      message = format('transport %L needs these settings: %s', p_transport, v_missing),
      hint = 'Give them as text in the settings object; a value env:NAME is read from the runner''s environment';
  end if;
end;
$$;

comment on function retoma.check_settings(text, jsonb) is 'Error RT003 when settings lack what the transport requires.';
