-- Reads one row per batch. Only for a batch that several channels shared, and whose counters therefore do not say which
-- channel sent what, it reads the deliveries, as long as cleanup() has not erased them.
create or replace view retoma_internal.messages_by_channel as
select s.campaign_id, o.state, o.channel_id, o.messages
from (
  select
    b.campaign_id, b.used_channel_id, b.lease_channel_id, b.used_channel_id is null and b.reserved > 0 as is_shared,
    sum(b.sent) as sent,
    sum(b.failed) as failed,
    sum(b.skipped) as skipped,
    sum(b.in_doubt) as in_doubt,
    sum(b.reserved - b.sent - b.failed - b.skipped - b.in_doubt - b.requeued) as sending,
    sum(b.size - b.reserved) as rest,
    coalesce(sum(b.size - b.reserved) filter (where b.maybe_sent), 0) as maybe_rest
  from retoma_internal.batch as b
  group by b.campaign_id, b.used_channel_id, b.lease_channel_id, b.used_channel_id is null and b.reserved > 0
) as s
inner join retoma_internal.campaign as c on s.campaign_id = c.id
cross join lateral (
  values
  ('sent', s.used_channel_id, s.sent, true),
  ('failed', s.used_channel_id, s.failed, true),
  ('skipped', s.used_channel_id, s.skipped, true),
  ('in_doubt', s.used_channel_id, s.in_doubt, true),
  ('sending', s.lease_channel_id, s.sending, false),
  ('pending', null, case when c.status <> 'cancelled' then s.rest end, false),
  ('in_doubt', null, case when c.status = 'cancelled' then s.maybe_rest end, false),
  ('cancelled', null, case when c.status = 'cancelled' then s.rest - s.maybe_rest end, false)
) as o (state, channel_id, messages, is_settled)
where o.messages > 0 and not (o.is_settled and s.is_shared and c.erased_at is null)
union all
select b.campaign_id, d.outcome, d.channel_id, count(*)
from retoma_internal.batch as b
left join retoma_internal.batch_list as l on b.id = l.batch_id
cross join lateral unnest(
  case
    when b.first_ordinal is null then l.ordinals[:b.reserved]
    else array(select generate_series(b.first_ordinal, b.first_ordinal + b.reserved - 1))
  end
) as u (ordinal)
inner join retoma_internal.delivery as d
  on b.campaign_id = d.campaign_id and u.ordinal = d.ordinal and b.attempt = d.attempt
where b.used_channel_id is null and b.reserved > 0 and d.outcome <> 'requeued'
group by b.campaign_id, d.outcome, d.channel_id;

comment on view retoma_internal.messages_by_channel is
'How many messages of each campaign that has batches are in each state, by the channel that sent them; a state and
channel can have several rows.';
