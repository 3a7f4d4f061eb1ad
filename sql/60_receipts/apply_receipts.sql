-- The caller holds the batches p_held. A message whose outcome was recorded while the caller waited for the locks is
-- left for later: only a transaction that holds its batch may judge it, or two transactions could count one receipt.
--
-- While a later attempt is under way, nobody knows which attempt a receipt is about. A good one counts for the message
-- at once, and waits: when the later attempt ends in doubt, it settles it. A failure only waits for that outcome.
--
-- The plan is kept, because receipts often come one by one. It consists of nested loops over indexes.
create or replace function retoma_internal.apply_receipts(
  p_receipts retoma_internal.receipt_inbox[],
  p_held bigint[],
  out applied bigint[],
  out failed retoma_internal.delivery[]
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_hashjoin to off
set enable_mergejoin to off
set jit to off
as $$
begin
  with target as materialized (
    select t.* from retoma_internal.receipt_targets(p_receipts) as t
    where t.batch_id = any(p_held) and t.last_batch_id = any(p_held)
  ),
  best as (
    select distinct on (t.campaign_id, t.ordinal, t.attempt) t.*
    from target as t
    where not (t.is_early and t.status = 'failed')
    order by t.campaign_id, t.ordinal, t.attempt, retoma_internal.receipt_rank(t.status) desc, t.at
  ),
  judged as (
    select
      d.batch_id, d.campaign_id, d.ordinal, d.attempt, d.outcome as was, d.receipt as had, b.status, b.at, b.code,
      retoma_internal.outcome_by_receipt(d.outcome, b.status) as outcome
    from best as b
    cross join lateral (
      select dd.* from retoma_internal.delivery as dd
      where dd.campaign_id = b.campaign_id and dd.ordinal = b.ordinal and dd.attempt = b.attempt
      limit 1
    ) as d
    where retoma_internal.receipt_rank(b.status) > retoma_internal.receipt_rank(d.receipt)
  ),
  written as (
    update retoma_internal.delivery as d
    set
      receipt = j.status, receipt_at = j.at, outcome = j.outcome,
      code = case when j.status = 'failed' then j.code else d.code end
    from judged as j
    where d.campaign_id = j.campaign_id and d.ordinal = j.ordinal and d.attempt = j.attempt
    returning j.*, d as delivery
  ),
  -- An earlier attempt has arrived: so the latest one, which ended in doubt or was refused, is settled.
  proved as (
    update retoma_internal.delivery as d
    set outcome = 'sent', code = 'receipt'
    from (
      select distinct t.campaign_id, t.ordinal, t.last_attempt, l.outcome as was
      from target as t
      inner join retoma_internal.delivery as l
        on t.campaign_id = l.campaign_id and t.ordinal = l.ordinal and t.last_attempt = l.attempt
      where t.attempt < t.last_attempt and t.status <> 'failed' and not exists (
        select from judged as j
        where j.campaign_id = t.campaign_id and j.ordinal = t.ordinal and j.attempt = t.last_attempt
      )
    ) as t
    where d.campaign_id = t.campaign_id and d.ordinal = t.ordinal and d.attempt = t.last_attempt
      and (d.outcome = 'in_doubt' or d.outcome = 'failed' and d.receipt is null)
    returning d.batch_id, t.was
  ),
  counted as (
    update retoma_internal.batch as b
    set
      sent = b.sent + w.sent, failed = b.failed + w.failed, in_doubt = b.in_doubt + w.in_doubt,
      delivered = b.delivered + w.delivered, read = b.read + w.read
    from (
      select
        ww.batch_id,
        sum((ww.outcome = 'sent')::int - (ww.was = 'sent')::int)::int as sent,
        sum((ww.outcome = 'failed')::int - (ww.was = 'failed')::int)::int as failed,
        sum((ww.outcome = 'in_doubt')::int - (ww.was = 'in_doubt')::int)::int as in_doubt,
        sum((ww.status in ('delivered', 'read') and coalesce(ww.had, '') <> 'delivered')::int)::int as delivered,
        sum((ww.status = 'read')::int)::int as read
      from (
        select w.batch_id, w.outcome, w.was, w.status, w.had from written as w
        union all
        select p.batch_id, 'sent', p.was, null, null from proved as p
      ) as ww
      group by ww.batch_id
    ) as w
    where b.id = w.batch_id
  )
  select
    array(select t.place from target as t where not t.is_early),
    array(select w.delivery from written as w where w.status = 'failed')
  into applied, failed;
end;
$$;

comment on function retoma_internal.apply_receipts(retoma_internal.receipt_inbox[], bigint[]) is
'Applies those receipts whose message has a recorded outcome, in a batch of p_held. applied: their places in p_receipts,
from 1; failed: the deliveries whose failure was news.';
