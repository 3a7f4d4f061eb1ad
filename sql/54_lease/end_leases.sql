-- One statement ends the leases with no message under way; where channels have gaps, these are nearly all. The others
-- end one by one, see end_lease. Locks the batches in the order of their ids, and skips those that another transaction
-- is changing. Then locks the pacing of their channels, in the order of the channels, and leaves a lease to the next
-- tick whose channel another transaction is changing: it may be left open, and the others must not wait for it. The
-- tick comes here with deliveries locked, so it may not wait either.
create or replace function retoma_internal.end_leases(p_ids bigint[], p_codes text[]) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
as $$
declare
  v_ids bigint[] := array(
    select b.id from retoma_internal.batch as b
    where b.id = any(p_ids) and b.status = 'leased'
    order by b.id
    for update skip locked
  );
begin
  with quiet as materialized (
    select b.id, b.campaign_id, b.lease_channel_id, b.runner_id, u.code
    from unnest(p_ids, p_codes) as u (id, code)
    inner join retoma_internal.batch as b on u.id = b.id
    where b.id = any(v_ids) and b.reserved < b.size
      and b.reserved = b.sent + b.failed + b.skipped + b.in_doubt + b.requeued
  ),
  noted as (
    insert into retoma_internal.event (
      subject, campaign_id, batch_id, channel_id, runner_id, from_state, to_state, code, why
    )
    select
      'batch', q.campaign_id, q.id, q.lease_channel_id, q.runner_id, 'leased', 'reaped',
      q.code, '0 messages without an outcome'
    from quiet as q
    order by q.id
  )
  update retoma_internal.batch as b
  set
    status = case when c.status = 'cancelled' then 'cancelled' else 'ready' end,
    lease_epoch = b.lease_epoch + 1, lease_expires_at = null, runner_id = null, lease_channel_id = null
  from quiet as q
  inner join retoma_internal.campaign as c on q.campaign_id = c.id
  where b.id = q.id;
  perform retoma_internal.end_lease(l.id, l.code)
  from (
    select b.id, u.code
    from unnest(p_ids, p_codes) as u (id, code)
    inner join retoma_internal.batch as b on u.id = b.id
    inner join retoma_internal.channel_pacing as p on b.lease_channel_id = p.channel_id
    where b.id = any(v_ids) and b.status = 'leased'
    order by b.lease_channel_id, b.id
    for update of p skip locked
  ) as l;
end;
$$;

comment on function retoma_internal.end_leases(bigint[], text[]) is
'Ends the leases of these batches outside of a step. p_codes: for each batch its code, as for end_lease.';
