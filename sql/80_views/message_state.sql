-- Reads the latest delivery of each message in the query, and the leased batches once for all of them: in a hashed
-- subquery, because to look for the batch of each message would be quadratic. v_message_count counts messages without
-- reading them.
create or replace view retoma.message_state as
select
  c.name as campaign,
  m.campaign_id,
  m.ordinal,
  m.phone,
  m.variables,
  m.zone,
  case
    when d.outcome <> 'requeued' then d.outcome
    when (m.campaign_id, m.ordinal, coalesce(d.attempt, 0) + 1) in (
      select w.campaign_id, w.ordinal, w.attempt from retoma_internal.messages_under_way as w
    ) then 'sending'
    when c.status <> 'cancelled' then 'pending'
    when (m.campaign_id, m.ordinal, coalesce(d.attempt, 0) + 1) in (
      select u.campaign_id, u.ordinal, u.attempt from retoma_internal.undecided_messages as u
    ) then 'in_doubt'
    else 'cancelled'
  end as state,
  d.attempt,
  d.code,
  -- A receipt stays with the attempt that got it, even when a later attempt was made.
  case
    when d.receipt is null and d.attempt > 1 then (
      select dd.receipt from retoma_internal.delivery as dd
      where dd.campaign_id = m.campaign_id and dd.ordinal = m.ordinal and dd.receipt is not null
      order by retoma_internal.receipt_rank(dd.receipt) desc
      limit 1
    )
    else d.receipt
  end as receipt,
  d.at,
  d.channel_id,
  retoma_internal.message_id(c.token, m.ordinal) as message_id,
  retoma_internal.variant_of(retoma_internal.message_id(c.token, m.ordinal), c.variant_bounds) as variant
from retoma_internal.message as m
inner join retoma_internal.campaign as c on m.campaign_id = c.id
left join lateral (
  select dd.* from retoma_internal.delivery as dd
  where dd.campaign_id = m.campaign_id and dd.ordinal = m.ordinal
  order by dd.attempt desc
  limit 1
) as d on true;

comment on view retoma.message_state is
'For operators: one row per message with its full number, its state (pending, sending, sent, failed, skipped, in_doubt,
cancelled), the code that says why, and the variant that it gets. Filter by campaign and ordinal.';
