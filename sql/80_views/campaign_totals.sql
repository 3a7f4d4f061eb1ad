-- The books of every campaign (invariant 5), from the counters of its batches. A message that continues in a later
-- batch is counted there. Reads one row per batch, not one row per message.
create or replace view retoma_internal.campaign_totals as
select
  c.id as campaign_id,
  c.total,
  case
    when c.status = 'cancelled' then 0
    when b.campaign_id is null then c.total
    else b.rest
  end as pending,
  coalesce(b.sending, 0) as sending,
  coalesce(b.sent, 0) as sent,
  coalesce(b.failed, 0) as failed,
  coalesce(b.skipped, 0) as skipped,
  coalesce(b.in_doubt, 0) + case when c.status = 'cancelled' then coalesce(b.maybe_rest, 0) else 0 end as in_doubt,
  case
    when c.status <> 'cancelled' then 0
    when b.campaign_id is null then c.total
    else b.rest - b.maybe_rest
  end as cancelled,
  coalesce(b.delivered, 0) as delivered,
  coalesce(b.read, 0) as read,
  coalesce(b.batches, 0) as batches,
  coalesce(b.batches_done, 0) as batches_done
from retoma_internal.campaign as c
left join (
  select
    bb.campaign_id,
    sum(bb.size - bb.reserved) as rest,
    sum(case when bb.maybe_sent then bb.size - bb.reserved else 0 end) as maybe_rest,
    sum(bb.reserved - bb.sent - bb.failed - bb.skipped - bb.in_doubt - bb.requeued) as sending,
    sum(bb.sent) as sent,
    sum(bb.failed) as failed,
    sum(bb.skipped) as skipped,
    sum(bb.in_doubt) as in_doubt,
    sum(bb.delivered) as delivered,
    sum(bb.read) as read,
    count(*) as batches,
    count(*) filter (where bb.status = 'completed') as batches_done
  from retoma_internal.batch as bb
  group by bb.campaign_id
) as b on c.id = b.campaign_id;

comment on view retoma_internal.campaign_totals is
'One row per campaign: total = pending + sending + sent + failed + skipped + in_doubt + cancelled, at all times.';
