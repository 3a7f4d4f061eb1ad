-- By the rules of channels_that_can_lease. Where several reasons hold, the one that ends last is shown.
create or replace view retoma_internal.channel_wait as
with moment as materialized (
  select t.at, t.at + s.lease_duration / 2 as soon
  from retoma.setting as s cross join lateral (select retoma.clock() as at) as t
)

select c.id as channel_id, w.cause, format('channel %s %s', c.name, w.reason) as reason, w.waits_until
from moment as n
cross join retoma_internal.channel as c
inner join retoma_internal.channel_pacing as p on c.id = p.channel_id
left join (
  select b.lease_channel_id, count(*) as leases from retoma_internal.batch as b where b.status = 'leased' group by 1
) as l on c.id = l.lease_channel_id
cross join lateral (
  select v.cause, v.reason, v.waits_until
  from (
    values
    (
      not c.connected or c.paused, 'channel', null::timestamptz,
      'is ' || retoma_internal.channel_state(c)
      || coalesce(': ' || nullif(c.state_reason, retoma_internal.channel_state(c)), '')
    ),
    (p.hold_until > n.at, 'rate_limit', p.hold_until, 'is held: ' || p.hold_reason),
    (p.next_send_at > n.soon, 'pacing', p.next_send_at, 'waits for its pacing'),
    (l.leases >= c.max_leases, 'turn', null, 'is sending other campaigns')
  ) as v (applies, cause, waits_until, reason)
  where v.applies
  union all
  select 'limit', 'has used up its ' || retoma_internal.limit_in_words(r), r.exhausted_until
  from retoma_internal.limit_rule as r
  where (r.scope, r.subject_id) in (('channel', c.id), ('channel_group', c.channel_group_id))
    and r.exhausted_until > n.at
  order by 3 desc nulls last
  limit 1
) as w;

comment on view retoma_internal.channel_wait is
'Channels that can begin no batch now. cause: channel (not connected, or paused), rate_limit, limit, pacing or turn (all
its leases are in use); waits_until: null when nothing tells.';
