-- Reserved messages without an outcome become in doubt (invariant 4), or are queued for the same channel where it
-- dedupes. The gap of the channel starts again now, because a request may have been sent a moment ago. The caller has
-- locked the batch. Locks the pacing of the channel.
create or replace function retoma_internal.settle_lease(
  p_batch retoma_internal.batch, p_code text
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_batch retoma_internal.batch := p_batch;
  v_lost int[] := array(
    select u.ordinal from unnest(retoma_internal.batch_ordinals(p_batch, 1, p_batch.reserved)) as u (ordinal)
    where not exists (
      select from retoma_internal.delivery as d
      where d.campaign_id = p_batch.campaign_id and d.ordinal = u.ordinal and d.attempt = p_batch.attempt
    )
    order by u.ordinal
  );
begin
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
  if not found then
    raise exception using errcode = 'RT012', constraint = 'rows_missing',
      message = format('the campaign of batch %s, its channel or the pacing of its channel has no row', v_batch.id),
      hint = 'Rows of Retoma were removed by hand: restore them from a backup';
  end if;
end;
$$;

comment on function retoma_internal.settle_lease(retoma_internal.batch, text) is
'Settles the messages under way of a lease by the rules, and ends it. p_code: as for end_lease.
Error RT012: a row is missing.';
