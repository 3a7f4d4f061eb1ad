-- Messages that may have arrived can wait on a channel to be sent again. Until then the channel has to keep its
-- provider and the property that this provider shows a repeated message once. A cancelled campaign sends nothing more.
create or replace function retoma_internal.check_repeats(
  p_old retoma_internal.channel, p_new retoma_internal.channel
) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_old.settings_version <> p_new.settings_version and exists (
    select from retoma_internal.batch as b
    inner join retoma_internal.campaign as c on b.campaign_id = c.id
    where b.channel_id = p_old.id and b.maybe_sent
      and (b.status = 'leased' or b.status = 'ready' and c.status <> 'cancelled')
      and retoma_internal.content_kind(c.id) = any(p_old.dedupes) and (
        retoma_internal.content_kind(c.id) <> all(p_new.dedupes)
        or retoma_internal.provider_of(p_old) <> retoma_internal.provider_of(p_new)
      )
  ) then
    raise exception using errcode = 'RT002', constraint = 'repeats_pending',
      message = format(
        'channel %L must send messages again that may have arrived, and people would see them twice', p_old.name
      ),
      hint = 'Let it send them first (campaign_batch_details shows its batches), or cancel their campaigns';
  end if;
end;
$$;

comment on function retoma_internal.check_repeats(retoma_internal.channel, retoma_internal.channel) is
'Error RT002 when the channel has messages to send again, and would send them to another provider, or would not dedupe
their kind of content any more.';
