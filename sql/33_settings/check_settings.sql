-- Takes no lock.
create or replace function retoma_internal.check_settings(p_transport text, p_settings jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_missing text;
begin
  v_missing := (
    select string_agg(s.key, ', ' order by s.key)
    from retoma.transport_setting as s
    where s.transport = p_transport and s.required and coalesce(p_settings ->> s.key, '') = ''
  );
  if v_missing is not null then
    raise exception using errcode = 'RT003', constraint = 'settings_missing',
      message = format('transport %L needs these settings: %s', p_transport, v_missing),
      hint = 'Give them as text in the settings object; a secret can be env:RETOMA_SECRET_NAME, which a runner reads';
  end if;
  perform retoma_internal.check_setting(s, p_settings)
  from retoma.transport_setting as s
  where s.transport = p_transport and p_settings ? s.key
  order by s.key;
end;
$$;

comment on function retoma_internal.check_settings(text, jsonb) is
'Error RT003 when p_settings lack a setting that the transport requires, or a value is not of the kind of its setting.';
