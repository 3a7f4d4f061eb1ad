-- The caller has locked the batches p_held.
create or replace function retoma_internal.end_quiet_leases(
  p_held bigint[], p_ids bigint[], p_codes text[]
) returns void
language sql volatile
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
begin atomic -- noqa: PRS
  with quiet as materialized (
    select b.id, b.campaign_id, b.lease_channel_id, b.runner_id, u.code
    from unnest(p_ids, p_codes) as u (id, code)
    inner join retoma_internal.batch as b on u.id = b.id
    where b.id = any(p_held) and b.reserved < b.size
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
end;

comment on function retoma_internal.end_quiet_leases(bigint[], bigint[], text[]) is
'Ends those of the leases p_held that have no message under way and are not reserved to the end. p_ids, p_codes: as for
end_leases.';
