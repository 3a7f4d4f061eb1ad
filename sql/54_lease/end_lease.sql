-- Reserved messages without an outcome become in doubt (invariant 4), or are queued for the same channel where it
-- dedupes. The gap of the channel starts again now, because a request may have been sent a moment ago.
--
-- Locks the batch, or does nothing while another transaction is changing it. Then locks the pacing of the channel. It
-- never completes a batch: that would lock the campaign too, and the caller may continue with other batches.
create or replace function retoma_internal.end_lease(p_batch_id bigint, p_code text) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_batch retoma_internal.batch;
  v_lost int[];
begin
  select b.* into v_batch
  from retoma_internal.batch as b
  where b.id = p_batch_id and b.status = 'leased'
  for update skip locked;
  if not found then
    return false;
  end if;
  v_lost := array(
    select u.ordinal from unnest(retoma_internal.batch_ordinals(v_batch, 1, v_batch.reserved)) as u (ordinal)
    where not exists (
      select from retoma_internal.delivery as d
      where d.campaign_id = v_batch.campaign_id and d.ordinal = u.ordinal and d.attempt = v_batch.attempt
    )
    order by u.ordinal
  );
  if v_lost <> '{}' then
    -- As in record_errors: configure_channel must see the repeats that are queued here, or be seen.
    perform from retoma_internal.channel_pacing as p where p.channel_id = v_batch.lease_channel_id for update;
    perform retoma_internal.await_receipts(v_batch, v_lost);
    select e.* into v_batch
    from
      retoma_internal.channel as h,
      retoma_internal.campaign as c,
      retoma_internal.apply_error(
        v_batch, h, row('*', p_code, 'ambiguous', false, true, 0, null)::retoma.error_rule, c.max_attempts, v_lost,
        null, null, v_now
      ) as e
    where h.id = v_batch.lease_channel_id and c.id = v_batch.campaign_id;
    perform retoma_internal.start_gap(v_batch.lease_channel_id, v_now, p_accepted => false);
  end if;
  if v_batch.reserved = v_batch.size then
    perform retoma_internal.start_batch_gap(v_batch.lease_channel_id, v_now);
  end if;
  insert into retoma_internal.event (
    subject, campaign_id, batch_id, channel_id, runner_id, from_state, to_state, code, why
  )
  values (
    'batch', v_batch.campaign_id, v_batch.id, v_batch.lease_channel_id, v_batch.runner_id, 'leased', 'reaped',
    p_code, format('%s messages without an outcome', cardinality(v_lost))
  );
  perform retoma_internal.write_batch(v_batch, 'released', c) from retoma_internal.step_context_of(v_batch) as c;
  return true;
end;
$$;

comment on function retoma_internal.end_lease(bigint, text) is
'Ends the lease of a batch outside of a step, and fences off its runner. p_code: why, and the code of its messages in
doubt: runner_gone, released, or lease_expired (the runner may only be frozen and might still send, so no lookup can
prove that it has not sent). False when the batch is locked or not leased.';
