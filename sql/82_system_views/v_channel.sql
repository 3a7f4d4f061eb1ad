create or replace view retoma.v_channel as
select
  c.id as channel_id,
  c.name as channel,
  c.transport,
  g.name as channel_group,
  retoma_internal.channel_state(c) as state,
  retoma_internal.mask_text(c.state_reason) as reason,
  nullif(greatest(p.next_send_at, p.hold_until, l.exhausted_until), '-infinity') as next_send_at,
  case
    when l.exhausted_until >= greatest(p.hold_until, retoma.clock()) then l.reason
    when p.hold_until > retoma.clock() then retoma_internal.mask_text(p.hold_reason)
    when retoma_internal.throttle_ends(p) > retoma.clock()
      then 'slower after a ' || retoma_internal.mask_text(p.hold_reason)
  end as held_because,
  extract(epoch from p.gap_min) as gap_min_s,
  extract(epoch from p.gap_max) as gap_max_s,
  extract(epoch from p.batch_gap_min) as batch_gap_min_s,
  extract(epoch from p.batch_gap_max) as batch_gap_max_s,
  p.rate_per_s,
  p.burst,
  retoma_internal.current_throttle(p, retoma.clock()) as throttle,
  case
    when retoma_internal.throttle_ends(p) > retoma.clock() then retoma_internal.throttle_ends(p)
  end as throttled_until,
  c.max_in_flight,
  c.max_leases,
  c.dedupes,
  c.looks_up,
  (select count(*) from retoma_internal.batch as b where b.status = 'leased' and b.lease_channel_id = c.id) as leases,
  c.id_ignored as ignores_ids
from retoma_internal.channel as c
left join retoma_internal.channel_group as g on c.channel_group_id = g.id
inner join retoma_internal.channel_pacing as p on c.id = p.channel_id
left join lateral (
  select r.exhausted_until, retoma_internal.limit_in_words(r) || ' used up' as reason
  from retoma_internal.limit_rule as r
  where (r.scope, r.subject_id) in (('channel', c.id), ('channel_group', c.channel_group_id))
    and r.exhausted_until > retoma.clock()
  order by r.exhausted_until desc
  limit 1
) as l on true;

comment on view retoma.v_channel is
'One row per channel: state, pacing, when it may send next, and why not now, or slower than its pacing: throttle is the
share of its speed that a rate limit of the provider left, until throttled_until; resume_channel ends that.
ignores_ids: kinds of content for which the provider was found to ignore our ids, so that they are not deduped.
Settings, with their credentials, are not shown.';
