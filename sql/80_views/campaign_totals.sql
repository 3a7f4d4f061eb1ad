-- The books of every campaign (invariant 5), from the counters of its batches. A message that continues in a later
-- batch is counted there. Reads one row per batch, not one row per message, and only the batches of the campaigns that
-- the query asks for.
create or replace view retoma_internal.campaign_totals as
select
  c.id as campaign_id,
  c.total,
  case when c.status = 'cancelled' then 0 when b.batches = 0 then c.total else b.rest end as pending,
  b.reserved - b.sent - b.failed - b.skipped - b.in_doubt - b.requeued as sending,
  b.sent,
  b.failed,
  b.skipped,
  b.in_doubt + case when c.status = 'cancelled' then b.maybe_rest else 0 end as in_doubt,
  case when c.status <> 'cancelled' then 0 when b.batches = 0 then c.total else b.rest - b.maybe_rest end as cancelled,
  b.delivered,
  b.read,
  b.batches,
  b.batches_done
from retoma_internal.campaign as c
cross join lateral (
  select
    coalesce(sum(bb.size) - sum(bb.reserved), 0) as rest,
    coalesce(sum(bb.size - bb.reserved) filter (where bb.maybe_sent), 0) as maybe_rest,
    coalesce(sum(bb.reserved), 0) as reserved,
    coalesce(sum(bb.sent), 0) as sent,
    coalesce(sum(bb.failed), 0) as failed,
    coalesce(sum(bb.skipped), 0) as skipped,
    coalesce(sum(bb.in_doubt), 0) as in_doubt,
    coalesce(sum(bb.requeued), 0) as requeued,
    coalesce(sum(bb.delivered), 0) as delivered,
    coalesce(sum(bb.read), 0) as read,
    count(*) as batches,
    count(*) filter (where bb.status = 'completed') as batches_done
  from retoma_internal.batch as bb
  where bb.campaign_id = c.id
) as b;

comment on view retoma_internal.campaign_totals is
'One row per campaign: total = pending + sending + sent + failed + skipped + in_doubt + cancelled, at all times.';
