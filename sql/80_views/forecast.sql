create or replace function retoma.forecast(
  p_campaign text, out messages_left bigint, out messages_per_hour numeric, out finishes_at timestamptz, out note text
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.find_campaign(p_campaign);
  v_unlimited boolean;
begin
  messages_left := case when v_campaign.status = 'draft' then v_campaign.total else (
    select coalesce(sum(b.size - b.sent - b.failed - b.skipped - b.in_doubt - b.requeued), 0)
    from retoma_internal.batch as b where b.campaign_id = v_campaign.id and b.status in ('ready', 'leased')
  ) end;
  select
    sum(retoma_internal.messages_per_hour(p, v_campaign.batch_size)),
    bool_or(retoma_internal.messages_per_hour(p, v_campaign.batch_size) is null)
  into messages_per_hour, v_unlimited
  from retoma_internal.campaign_channel as cc
  inner join retoma_internal.channel as c on cc.channel_id = c.id
  inner join retoma_internal.channel_pacing as p on c.id = p.channel_id
  where cc.campaign_id = v_campaign.id and c.connected and not c.paused;
  if v_unlimited then
    messages_per_hour := null;
    note := 'a channel has no pacing: it sends as fast as its provider answers';
  elsif messages_per_hour is null then
    note := retoma_internal.mask_numbers(retoma_internal.why_no_channel(v_campaign.id));
  else
    finishes_at := greatest(retoma.clock(), v_campaign.starts_at)
      + make_interval(hours => 1) * (messages_left / messages_per_hour);
    note := 'by pacing alone: windows, limits, retries and other campaigns of the same channels are not counted';
  end if;
end;
$$;

comment on function retoma.forecast(text) is
'messages_left of a campaign, messages_per_hour that the pacing of its connected channels allows, and finishes_at by
this speed. note: what the forecast does not count, or why it has no speed. Error RT001: unknown campaign.';
