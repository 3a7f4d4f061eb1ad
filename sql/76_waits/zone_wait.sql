-- Each row costs one or two index lookups, however many batches the campaign has.
create or replace view retoma_internal.zone_wait as
with moment as materialized (select retoma.clock() as at),

able as materialized (
  select cc.campaign_id, array_agg(cc.channel_id) as channel_ids
  from moment as n
  cross join retoma_internal.channels_that_can_lease(n.at) as h (id)
  inner join retoma_internal.campaign_channel as cc on h.id = cc.channel_id and cc.fault is null
  inner join retoma_internal.campaign as c on cc.campaign_id = c.id
  where c.status = 'running'
  group by cc.campaign_id
)

select
  c.id as campaign_id,
  case
    when f.can_go then null
    when z.zone <> '' and coalesce(o.opens_at > '-infinity', true) then 'window'
    when d.due_at > n.at then 'retry'
    else 'channel'
  end as cause,
  case when o.opens_at > '-infinity' then o.opens_at when d.due_at > n.at then d.due_at end as waits_until,
  case when a.channel_ids is not null then d.channel_id end as channel_id
from moment as n
cross join retoma_internal.campaign as c
inner join retoma_internal.campaign_zone as z on c.id = z.campaign_id
left join retoma_internal.window_opening as o on c.id = o.campaign_id and z.zone = o.zone
left join able as a on c.id = a.campaign_id
left join lateral (
  select true as can_go
  from retoma_internal.batch as b
  where b.campaign_id = c.id and b.zone = z.zone and b.status = 'ready' and b.not_before <= n.at
    and a.channel_ids is not null and (b.channel_id is null or b.channel_id = any(a.channel_ids))
    and (z.zone = '' or o.opens_at = '-infinity')
  limit 1
) as f on true
left join lateral (
  select b.not_before as due_at, b.channel_id
  from retoma_internal.batch as b
  where f.can_go is null and b.campaign_id = c.id and b.zone = z.zone and b.status = 'ready'
  order by b.not_before
  limit 1
) as d on true
where c.status = 'running' and (f.can_go or d.due_at is not null)
  and not exists (select from retoma_internal.batch as b where b.status = 'leased' and b.campaign_id = c.id);

comment on view retoma_internal.zone_wait is
'One row per zone with ready batches of each running campaign that has no leased batch. cause: why none can be leased
now: window, retry or channel; null: one can. waits_until: null when nothing tells. channel_id: the only channel that
may send what is due first; null: any channel of the campaign.';
