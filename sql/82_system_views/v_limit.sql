create or replace view retoma.v_limit as
select
  l.id as limit_id,
  l.scope,
  l.subject_id,
  coalesce(h.name, g.name, c.name) as subject,
  l.maximum,
  l.counting,
  l.told_by_provider,
  retoma_internal.period_in_words(l.calendar, l.rolling) as per,
  l.time_zone,
  n.used,
  greatest(l.maximum - n.used, 0) as remaining,
  case when l.exhausted_until > n.at then l.exhausted_until end as exhausted_until
from retoma_internal.limit_rule as l
left join retoma_internal.channel as h on l.scope = 'channel' and l.subject_id = h.id
left join retoma_internal.channel_group as g on l.scope = 'channel_group' and l.subject_id = g.id
left join retoma_internal.campaign as c on l.scope = 'campaign' and l.subject_id = c.id
cross join lateral (
  select t.at, retoma_internal.limit_used(l, t.at) as used from (select retoma.clock() as at) as t
) as n;

comment on view retoma.v_limit is
'One row per limit: how many messages or people per period, how many of them are used, and, when none is left, until
when nothing is sent. told_by_provider: a limit that the provider has set; it holds beside yours.';
