-- The settings of a channel are complete: the defaults of the transport are stored with them. So a runner, and the
-- patterns of transport_kind, see the values in force. A new default of a transport does not change a channel
-- unnoticed.
create or replace function retoma_internal.patched_settings(
  p_channel retoma_internal.channel, p_patch jsonb
) returns jsonb
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_known text[];
  v_defaults jsonb;
  v_settings jsonb;
begin
  select
    coalesce(array_agg(s.key order by s.required desc, s.key), '{}'),
    coalesce(jsonb_object_agg(s.key, s.default_value) filter (where s.default_value is not null), '{}')
  into v_known, v_defaults
  from retoma.transport_setting as s
  where s.transport = p_channel.transport;
  perform retoma_internal.check_patch(format('settings of %s', p_channel.transport), p_patch, v_known);
  v_settings := v_defaults || jsonb_strip_nulls(p_channel.settings || p_patch);
  perform retoma_internal.check_settings(p_channel.transport, v_settings);
  perform retoma_internal.check_secrets(p_channel, p_patch, v_settings);
  return v_settings;
end;
$$;

comment on function retoma_internal.patched_settings(retoma_internal.channel, jsonb) is
'The settings of a channel after this patch. When null removes a setting, it has the default of the transport again.
Error RT003 when the transport could not send with them, or a secret would follow to another address.';
