create or replace view retoma_internal.number_checker as
select
  cc.campaign_id,
  h.id as channel_id,
  t.checks_numbers and h.settings @> '{"check_numbers": true}' as checks,
  h.connected and not h.paused and cc.fault is null and not (
    exists (select from retoma_internal.channel_refusal as f where f.channel_id = h.id)
    and not exists (
      select from retoma_internal.live_runners() as r (id)
      where not exists (
        select from retoma_internal.channel_refusal as f where (f.channel_id, f.runner_id) = (h.id, r.id)
      )
    )
  ) as works,
  greatest(q.worked_at, h.stated_at, h.reported_at) as worked_at,
  cc.last_leased_at
from retoma_internal.campaign_channel as cc
inner join retoma_internal.channel as h on cc.channel_id = h.id
inner join retoma.transport as t on h.transport = t.name
inner join retoma_internal.number_checking as q on h.id = q.channel_id;

comment on view retoma_internal.number_checker is
'The channels of each campaign. checks: its provider is asked about numbers; works: the channel can be used now,
by one of the live runners.';
