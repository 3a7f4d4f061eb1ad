create or replace function retoma.forecast(
  p_campaign text, out messages_left bigint, out messages_per_hour numeric, out finishes_at timestamptz, out note text
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set jit to off
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.find_campaign(p_campaign);
  v_now timestamptz := retoma.clock();
  v_unlimited boolean;
  v_finish record;
begin
  if v_campaign.status in ('completed', 'cancelled') then
    messages_left := 0;
    finishes_at := v_campaign.finished_at;
    note := 'it has ended';
    return;
  end if;
  messages_left := (
    select coalesce(sum(a.messages_left), 0) from retoma_internal.forecast_audience(v_campaign) as a
  );
  select
    sum(retoma_internal.messages_per_hour(p, v_campaign.batch_size)),
    bool_or(retoma_internal.messages_per_hour(p, v_campaign.batch_size) is null)
  into messages_per_hour, v_unlimited
  from retoma_internal.campaign_channel as cc
  inner join retoma_internal.channel as c on cc.channel_id = c.id
  inner join retoma_internal.channel_pacing as p on c.id = p.channel_id
  where cc.campaign_id = v_campaign.id and c.connected and not c.paused and cc.fault is null;
  note := retoma_internal.mask_numbers(retoma_internal.why_no_channel(v_campaign.id));
  if note is not null then
    return;
  end if;
  v_finish := retoma_internal.finish_time(
    v_campaign, greatest(v_now, case when v_campaign.status in ('draft', 'scheduled') then v_campaign.starts_at end)
  );
  if v_unlimited then
    messages_per_hour := null;
  end if;
  if v_unlimited and not v_finish.is_bounded then
    note := 'a channel has no pacing: it sends as fast as its provider answers';
  elsif v_finish.finishes_at is null then
    note := 'by its windows and limits it does not end within two years';
  else
    finishes_at := v_finish.finishes_at;
    note := case v_campaign.status
      when 'draft' then 'if it is started now; '
      when 'paused' then 'if it is resumed now; '
      when 'interrupted' then 'if it is resumed now; '
      else ''
    end || 'by pacing, windows and limits; retries and other campaigns of the same channels are not counted';
  end if;
end;
$$;

comment on function retoma.forecast(text) is
'messages_left of a campaign; messages_per_hour that the pacing of its connected channels allows; and finishes_at, by
pacing, windows, limits and the time of its start. note: what the forecast does not count, or why there is none. Error
RT001: unknown campaign.';
