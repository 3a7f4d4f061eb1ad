-- Reads the latest delivery of each message in the query, so it is too slow for all messages at once.
create or replace view retoma.message_state as
select
  c.name as campaign,
  m.campaign_id,
  m.ordinal,
  m.phone,
  m.variables,
  m.zone,
  case
    when d.outcome is not null and d.outcome <> 'requeued' then d.outcome
    when w.reserved then 'sending'
    when c.status = 'cancelled' and w.maybe_sent then 'in_doubt'
    when c.status = 'cancelled' then 'cancelled'
    else 'pending'
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
  retoma_internal.message_id(c.token, m.ordinal) as message_id
from retoma_internal.message as m
inner join retoma_internal.campaign as c on m.campaign_id = c.id
left join lateral (
  select dd.* from retoma_internal.delivery as dd
  where dd.campaign_id = m.campaign_id and dd.ordinal = m.ordinal
  order by dd.attempt desc
  limit 1
) as d on true
left join lateral (
  select
    b.maybe_sent,
    b.status = 'leased' and case
      when b.first_ordinal is null then m.ordinal = any(l.ordinals[1:b.reserved])
      else m.ordinal < b.first_ordinal + b.reserved
    end as reserved
  from retoma_internal.batch as b
  left join retoma_internal.batch_list as l on b.id = l.batch_id
  where b.campaign_id = m.campaign_id and b.attempt = coalesce(d.attempt, 0) + 1
    and (d.outcome is null or d.outcome = 'requeued')
    and case
      when b.first_ordinal is null then m.ordinal = any(l.ordinals)
      else m.ordinal between b.first_ordinal and b.first_ordinal + b.size - 1
    end
  limit 1
) as w on true;

comment on view retoma.message_state is
'For operators: one row per message with its full number, its state (pending, sending, sent, failed, skipped, in_doubt,
cancelled), and the code that says why. Filter by campaign and ordinal.';
