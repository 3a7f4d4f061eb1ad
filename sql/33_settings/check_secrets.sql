-- Whoever may change the address of a channel must not get its secrets sent there.
create or replace function retoma_internal.check_secrets(
  p_old retoma_internal.channel, p_patch jsonb, p_settings jsonb
) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_address text;
  v_secrets text;
begin
  select
    string_agg(s.key, ', ' order by s.key) filter (
      where s.kind = 'url' and p_settings -> s.key is distinct from p_old.settings -> s.key
    ),
    string_agg(s.key, ', ' order by s.key) filter (
      where s.kind = 'secret' and p_old.settings ? s.key and not p_patch ? s.key
    )
  into v_address, v_secrets
  from retoma.transport_setting as s
  where s.transport = p_old.transport;
  if v_address is not null and v_secrets is not null then
    raise exception using errcode = 'RT003', constraint = 'secrets_needed_again',
      message = format(
        '%s changes, and the secrets of channel %L do not follow to it: %s', v_address, p_old.name, v_secrets
      ),
      hint = 'Give them again in the same call, or null for each that the new address does not need';
  end if;
end;
$$;

comment on function retoma_internal.check_secrets(retoma_internal.channel, jsonb, jsonb) is
'Error RT003 when an address in p_settings is new, and p_patch does not name every secret that the channel has.';
