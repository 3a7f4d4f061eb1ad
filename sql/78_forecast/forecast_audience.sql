create or replace function retoma_internal.forecast_audience(
  p_campaign retoma_internal.campaign, out zone text, out messages_left double precision
) returns setof record
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_campaign.status <> 'draft' then
    return query
    select b.zone, sum(b.size - b.sent - b.failed - b.skipped - b.in_doubt - b.requeued)::double precision
    from retoma_internal.batch as b
    where b.campaign_id = p_campaign.id and b.status in ('ready', 'leased')
    group by b.zone;
  elsif retoma_internal.has_windows(p_campaign.id) then
    return query
    select coalesce(m.zone, p_campaign.time_zone, 'UTC'), count(*)::double precision
    from retoma_internal.message as m
    where m.campaign_id = p_campaign.id
    group by 1;
  elsif p_campaign.total > 0 then
    return query select '', p_campaign.total::double precision;
  end if;
end;
$$;

comment on function retoma_internal.forecast_audience(retoma_internal.campaign) is
'How many messages of a campaign are left, by time zone; the zone is empty when it has no windows.';
