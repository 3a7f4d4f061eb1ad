-- A message never shows a value, because it can be a secret in the wrong place. A choice is not a secret.
create or replace function retoma_internal.check_setting(
  p_setting retoma.transport_setting, p_settings jsonb
) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_type text := jsonb_typeof(p_settings -> p_setting.key);
  v_text text := p_settings ->> p_setting.key;
begin
  if p_setting.kind = 'flag' then
    if v_type <> 'boolean' then
      raise exception using errcode = 'RT003', constraint = 'not_a_flag',
        message = format('%s is true or false, not a JSON %s', p_setting.key, v_type),
        hint = 'Write true or false without quotes, or null to remove it';
    end if;
  elsif p_setting.kind = 'seconds' then
    perform retoma_internal.patch_number(
      p_settings, p_setting.key, coalesce(p_setting.minimum, 0), coalesce(p_setting.maximum, 86400)
    );
  elsif v_type <> 'string' then
    raise exception using errcode = 'RT003', constraint = 'not_a_text',
      message = format('%s is a text, not a JSON %s', p_setting.key, v_type),
      hint = 'Write it in double quotes, or null to remove it';
  elsif p_setting.kind = 'choice' and v_text <> all(p_setting.choices) then
    raise exception using errcode = 'RT003', constraint = 'not_a_choice',
      message = format('%s cannot be %L', p_setting.key, left(v_text, 100)),
      hint = 'Choose one of: ' || array_to_string(p_setting.choices, ', ');
  elsif p_setting.kind <> 'choice' then
    perform retoma_internal.check_setting_text(p_setting, v_text);
  end if;
end;
$$;

comment on function retoma_internal.check_setting(retoma.transport_setting, jsonb) is
'Error RT003 when the value of this setting in p_settings is not of its kind. A missing value is accepted.';
