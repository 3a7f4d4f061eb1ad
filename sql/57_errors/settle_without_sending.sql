-- A message that is not handed out gets its delivery row at once.
create or replace function retoma_internal.settle_without_sending(
  p_batch retoma_internal.batch, p_ordinals int[], p_outcome text, p_code text, p_now timestamptz
) returns retoma_internal.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch := p_batch;
  v_count int := cardinality(p_ordinals);
begin
  insert into retoma_internal.delivery (
    at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome, code,
    settings_version
  )
  select
    p_now, v_batch.id, v_batch.campaign_id, u.ordinal, v_batch.lease_channel_id, v_batch.lease_epoch, v_batch.attempt,
    p_outcome, p_code, case when p_outcome = 'in_doubt' then v_batch.settings_version end
  from unnest(p_ordinals) as u (ordinal);
  v_batch.skipped := v_batch.skipped + case when p_outcome = 'skipped' then v_count else 0 end;
  v_batch.in_doubt := v_batch.in_doubt + case when p_outcome = 'in_doubt' then v_count else 0 end;
  v_batch.failed := v_batch.failed + case when p_outcome = 'failed' then v_count else 0 end;
  v_batch.sent := v_batch.sent + case when p_outcome = 'sent' then v_count else 0 end;
  return v_batch;
end;
$$;

comment on function retoma_internal.settle_without_sending(retoma_internal.batch, int[], text, text, timestamptz) is
'Records messages that are not handed out with p_outcome: skipped, failed, in_doubt, or sent (by an earlier
attempt). p_code: why. Returns the batch with its new counters, not yet written.';
