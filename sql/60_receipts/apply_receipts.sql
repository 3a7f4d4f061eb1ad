-- Locks the batches concerned, in the order of their ids, before it touches deliveries.
create or replace function retoma.apply_receipts() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_custom_plan
as $$
declare
  v_count int;
begin
  if not exists (select from retoma.receipt_inbox) then
    return 0;
  end if;
  perform from retoma.batch as b
  where b.id in (select t.batch_id from retoma.receipt_targets() as t)
  order by b.id
  for update;
  with taken as (
    delete from retoma.receipt_inbox as i using retoma.receipt_targets() as t where i.id = t.inbox_id
    returning t.campaign_id, t.ordinal, t.attempt, i.status, i.code, i.at
  ),
  best as (
    select distinct on (t.campaign_id, t.ordinal, t.attempt) t.*
    from taken as t
    order by t.campaign_id, t.ordinal, t.attempt, retoma.receipt_rank(t.status) desc, t.at
  ),
  judged as (
    select
      d.batch_id, d.campaign_id, d.ordinal, d.attempt, d.outcome as was, d.receipt as had, b.status, b.at, b.code,
      retoma.outcome_by_receipt(d.outcome, b.status) as outcome
    from best as b
    inner join retoma.delivery as d on b.campaign_id = d.campaign_id and b.ordinal = d.ordinal and b.attempt = d.attempt
    where retoma.receipt_rank(b.status) > retoma.receipt_rank(d.receipt)
  ),
  written as (
    update retoma.delivery as d
    set receipt = j.status, receipt_at = j.at, outcome = j.outcome, code = case when j.status = 'failed' then j.code else d.code end
    from judged as j
    where d.campaign_id = j.campaign_id and d.ordinal = j.ordinal and d.attempt = j.attempt
    returning j.*
  ),
  counted as (
    update retoma.batch as b
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
  select count(*) into v_count from taken;
  return v_count;
end;
$$;

comment on function retoma.apply_receipts() is 'Applies the waiting receipts whose message is there. Returns how many.';
