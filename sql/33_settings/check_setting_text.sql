create or replace function retoma_internal.check_setting_text(
  p_setting retoma.transport_setting, p_text text
) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.check_length(p_setting.key, p_text, case p_setting.kind when 'words' then 1000 else 2000 end);
  if trim(p_text) = '' then
    raise exception using errcode = 'RT003', constraint = 'empty_setting',
      message = format('%s is empty', p_setting.key),
      hint = 'Give a value, or null to remove the setting';
  end if;
  if p_text ~ '^(env|file):' then
    if p_setting.kind <> 'secret' then
      raise exception using errcode = 'RT003', constraint = 'not_a_secret',
        message = format('%s cannot come from the environment or a file of the runners', p_setting.key),
        hint = 'Only a secret can. Write the value itself: then every runner sends to the same provider';
    elsif p_text like 'env:%' and p_text !~ '^env:RETOMA_SECRET_[A-Z0-9_]{1,100}$' then
      raise exception using errcode = 'RT003', constraint = 'not_a_variable',
        message = format('%s does not name a variable for secrets after env:', p_setting.key),
        hint = 'Write it like env:RETOMA_SECRET_SALES, in capitals. A runner gives away no other variable';
    elsif p_text like 'file:%' and p_text !~ '^file:[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$' then
      raise exception using errcode = 'RT003', constraint = 'not_a_file',
        message = format('%s does not name a file for secrets after file:', p_setting.key),
        hint = 'Write it like file:sales_api_key, without a directory. A runner reads only RETOMA_SECRETS_DIRECTORY';
    end if;
  elsif p_setting.kind = 'url' and p_text !~ '^https?://[^[:space:]/?#@]+([/?][^[:space:]#]*)?$' then
    raise exception using errcode = 'RT003', constraint = 'not_a_url',
      message = format('%s is not an address of http or https', p_setting.key),
      hint = 'Write it like https://gateway.example:3000, without user, password or #';
  end if;
end;
$$;

comment on function retoma_internal.check_setting_text(retoma.transport_setting, text) is
'Error RT003 when p_text cannot be the value of this setting of the kind text, words, url or secret.';
