-- Locks the batches of the messages in the order of their ids before it touches deliveries, and leaves a receipt for
-- later whose batch another transaction is changing: that transaction may be left open. Only a transaction that holds
-- the batch may judge a receipt, or two transactions could count one. The plan is kept, because receipts often come one
-- by one. It consists of nested loops over indexes.
create or replace function retoma_internal.apply_receipts(p_receipts retoma_internal.receipt_inbox[]) returns bigint[]
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_hashjoin to off
set enable_mergejoin to off
set jit to off
as $$
declare
  v_held bigint[] := array(
    select b.id from retoma_internal.batch as b
    where b.id in (select t.batch_id from retoma_internal.receipt_targets(p_receipts) as t)
    order by b.id
    for update skip locked
  );
  v_applied bigint[];
begin
  with target as materialized (
    select t.* from retoma_internal.receipt_targets(p_receipts) as t where t.batch_id = any(v_held)
  ),
  best as (
    select distinct on (t.campaign_id, t.ordinal, t.attempt) t.*
    from target as t
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
    returning j.*
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
      from written as ww
      group by ww.batch_id
    ) as w
    where b.id = w.batch_id
  )
  select coalesce(array_agg(t.place), '{}') into v_applied from target as t;
  return v_applied;
end;
$$;

comment on function retoma_internal.apply_receipts(retoma_internal.receipt_inbox[]) is
'Applies those receipts whose message has a recorded outcome and a batch that no other transaction is
changing. Returns their places in p_receipts, from 1.';
