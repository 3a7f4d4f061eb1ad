-- Reads as little as it can: the rows that made the rules fail may be anywhere. A message without an outcome becomes in
-- doubt, whatever its channel promises. The counters are counted again from the deliveries; what is missing there,
-- because rows were removed, is in doubt too. The caller has locked the batch. Locks the
-- pacing of the channel: a request may have been sent a moment ago, so its gaps begin again.
create or replace function retoma_internal.break_lease(
  p_batch retoma_internal.batch, p_code text, p_cause text
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_cause text := left(retoma_internal.mask_numbers(p_cause), 300);
  v_count record;
begin
  insert into retoma_internal.delivery (
    at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome, code, settings_version
  )
  select
    retoma.clock(), p_batch.id, p_batch.campaign_id, u.ordinal, p_batch.lease_channel_id, p_batch.lease_epoch,
    p_batch.attempt, 'in_doubt', p_code, p_batch.settings_version
  from unnest(retoma_internal.batch_ordinals(p_batch, 1, p_batch.reserved)) as u (ordinal)
  on conflict do nothing;
  select
    count(*) filter (where d.outcome = 'sent') as sent,
    count(*) filter (where d.outcome = 'failed') as failed,
    count(*) filter (where d.outcome = 'skipped') as skipped,
    count(*) filter (where d.outcome = 'requeued') as requeued
  into v_count
  from unnest(retoma_internal.batch_ordinals(p_batch, 1, p_batch.reserved)) as u (ordinal)
  inner join retoma_internal.delivery as d
    on d.campaign_id = p_batch.campaign_id and u.ordinal = d.ordinal and d.attempt = p_batch.attempt;
  update retoma_internal.channel_pacing as p
  set next_send_at = greatest(p.next_send_at, retoma.clock() + greatest(p.gap_max, p.batch_gap_max))
  where p.channel_id = p_batch.lease_channel_id;
  insert into retoma_internal.event (
    subject, campaign_id, batch_id, channel_id, runner_id, from_state, to_state, code, why
  )
  values (
    'batch', p_batch.campaign_id, p_batch.id, p_batch.lease_channel_id, p_batch.runner_id, 'leased', 'broken',
    p_code, v_cause
  );
  update retoma_internal.batch as b
  set
    status = case when c.status = 'cancelled' then 'cancelled' else 'ready' end,
    lease_epoch = b.lease_epoch + 1, lease_expires_at = null, runner_id = null, lease_channel_id = null,
    sent = v_count.sent, failed = v_count.failed, skipped = v_count.skipped, requeued = v_count.requeued,
    in_doubt = b.reserved - v_count.sent - v_count.failed - v_count.skipped - v_count.requeued, defect = v_cause
  from retoma_internal.campaign as c
  where b.id = p_batch.id and c.id = b.campaign_id;
end;
$$;

comment on function retoma_internal.break_lease(retoma_internal.batch, text, text) is
'Ends a lease that the rules cannot settle, because of p_cause. Its messages without an outcome become in doubt, with
the code p_code. The next tick interrupts its campaign, see interrupt_for_defects.';
