-- A message that may have arrived waits to be sent again, on a channel that dedupes it. The channel must not lose this
-- property before the message is sent.
create or replace function retoma_internal.check_dedupes(
  p_channel retoma_internal.channel, p_dedupes text[]
) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if not p_channel.dedupes <@ p_dedupes and exists (
    select from retoma_internal.batch as b
    where b.channel_id = p_channel.id and b.maybe_sent and b.status in ('ready', 'leased')
      and retoma_internal.content_kind(b.campaign_id) <> all(p_dedupes)
  ) then
    raise exception using errcode = 'RT002', constraint = 'repeats_pending',
      message = format(
        'channel %L must send messages again that may have arrived, and people would see them twice', p_channel.name
      ),
      hint = 'Let it send them first (campaign_batch_details shows its batches), or cancel their campaigns';
  end if;
end;
$$;

comment on function retoma_internal.check_dedupes(retoma_internal.channel, text[]) is
'Error RT002 when the channel has messages to send again, of a kind that is not in p_dedupes, the kinds that it will
dedupe from now on.';
