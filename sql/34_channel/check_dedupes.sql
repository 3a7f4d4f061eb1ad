-- A message that may have arrived waits to be sent again on a channel that shows a repeated message once. The channel
-- has to keep that property until then.
create or replace function retoma_internal.check_dedupes(
  p_channel retoma_internal.channel, p_settings jsonb
) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_channel.dedupes and not retoma_internal.setting_dedupes(p_channel.transport, p_settings) and exists (
    select from retoma_internal.batch as b
    where b.channel_id = p_channel.id and b.maybe_sent and b.status in ('ready', 'leased')
  ) then
    raise exception using errcode = 'RT002', constraint = 'repeats_pending',
      message = format(
        'channel %L is about to repeat messages that may have arrived, and people would see them twice', p_channel.name
      ),
      hint = 'Let it send them first (campaign_batch_details shows its batches), or cancel their campaigns';
  end if;
end;
$$;

comment on function retoma_internal.check_dedupes(retoma_internal.channel, jsonb) is
'Error RT002 when the channel would no longer dedupe with these settings, and has messages to repeat.';
