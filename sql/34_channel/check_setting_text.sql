create or replace function retoma_internal.check_setting_text(
  p_setting retoma.transport_setting, p_text text
) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.check_length(p_setting.key, p_text, 2000);
  if trim(p_text) = '' then
    raise exception using errcode = 'RT003', constraint = 'empty_setting',
      message = format('%s is empty', p_setting.key),
      hint = 'Give a value, or null to remove the setting';
  end if;
  if p_text like 'env:%' then
    if p_setting.kind <> 'secret' then
      raise exception using errcode = 'RT003', constraint = 'not_a_secret',
        message = format('%s cannot come from the environment of the runners', p_setting.key),
        hint = 'Only a secret can. Write the value itself: then every runner sends to the same provider';
    elsif p_text !~ '^env:[A-Za-z_][A-Za-z0-9_]*$' then
      raise exception using errcode = 'RT003', constraint = 'not_a_variable',
        message = format('%s does not name an environment variable after env:', p_setting.key),
        hint = 'Write it like env:WHATSAPP_API_KEY: letters, digits and underscores';
    end if;
  elsif p_setting.kind = 'url' and p_text !~ '^https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?$' then
    raise exception using errcode = 'RT003', constraint = 'not_a_url',
      message = format('%s is not an address of http or https', p_setting.key),
      hint = 'Write it like https://gateway.example:3000, without user, password or #';
  end if;
end;
$$;

comment on function retoma_internal.check_setting_text(retoma.transport_setting, text) is
'Error RT003 when p_text cannot be the value of this setting of the kind text, url or secret.';
