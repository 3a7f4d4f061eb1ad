-- One statement writes the delivery rows of accepted messages. record_errors writes the errors. An outcome that is
-- already recorded is ignored: the call that brought it lost its reply. Can lock what record_errors locks.
create or replace function retoma_internal.record_outcomes(
  p_batch retoma_internal.batch, p_outcomes jsonb, p_context retoma_internal.step_context
) returns retoma_internal.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch := p_batch;
  v_accepted int;
begin
  perform retoma_internal.check_outcomes(p_batch, p_outcomes);
  with fresh as (
    insert into retoma_internal.delivery (
      at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome, code, provider_id
    )
    select
      p_context.at, v_batch.id, v_batch.campaign_id, o.ordinal, v_batch.lease_channel_id, v_batch.lease_epoch,
      v_batch.attempt, 'sent', case o.status when 'held' then 'held' end, o.provider_id
    from jsonb_to_recordset(p_outcomes) as o (ordinal int, status text, provider_id text)
    where o.status in ('accepted', 'held')
    on conflict do nothing
    returning 1
  )
  select count(*) into v_accepted from fresh;
  v_batch.sent := v_batch.sent + v_accepted;
  if v_accepted > 0 then
    v_batch.failure_streak := 0;
    v_batch.doubt_streak := 0;
  end if;
  if (p_context.pacing).gap_max > '0 s' or (p_context.pacing).hold_streak > 0
    or (p_context.pacing).failures <> '{}'
  then
    perform retoma_internal.start_gap(v_batch.lease_channel_id, p_context.at, p_accepted => v_accepted > 0);
  end if;
  if p_outcomes @? '$[*].took_id' then
    perform retoma_internal.judge_ids(v_batch, p_outcomes);
  end if;
  if v_accepted < jsonb_array_length(p_outcomes) then
    v_batch := retoma_internal.record_errors(v_batch, p_outcomes, p_context);
  end if;
  return v_batch;
end;
$$;

comment on function retoma_internal.record_outcomes(
  retoma_internal.batch, jsonb, retoma_internal.step_context
) is
'Records the outcomes of reserved messages; p_outcomes as in advance_batch. Returns the batch with its new counters, not
yet written. Error RT003: a malformed outcome.';
