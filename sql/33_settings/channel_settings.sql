create or replace function retoma.channel_settings(
  p_channel text, out channel_id int, out transport text, out settings jsonb
)
language plpgsql stable security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel retoma_internal.channel := retoma_internal.find_channel(p_channel);
begin
  channel_id := v_channel.id;
  transport := v_channel.transport;
  settings := v_channel.settings;
end;
$$;

comment on function retoma.channel_settings(text) is
'For runners and receivers of webhooks: the id, the transport and the settings of a channel, with its credentials. Error
RT001: unknown channel.';
