-- Nearly all outcomes come here, as an array and with one insert: reading an outcome from JSON costs as much as writing
-- its row. An outcome that is already recorded is ignored: the call that brought it lost its reply. No other
-- transaction can record it now, because the batch is locked. So one query finds all of them; "on conflict do nothing"
-- would cost a third of each insert. Can lock the pacing of the channel.
create or replace function retoma_internal.record_accepted(
  p_batch retoma_internal.batch, p_ordinals int[], p_context retoma_internal.step_context
) returns retoma_internal.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch := p_batch;
  v_accepted int;
  v_known int[];
begin
  perform retoma_internal.check_reserved(p_batch, p_ordinals);
  if current_setting('server_version_num')::int >= 170000 then
    v_known := array(
      select d.ordinal from retoma_internal.delivery as d
      where d.campaign_id = p_batch.campaign_id and d.ordinal = any(p_ordinals) and d.attempt = p_batch.attempt
    );
  else
    -- Here the planner may not use the array in the index condition, and would read all deliveries of the campaign.
    v_known := array(
      select u.ordinal from unnest(p_ordinals) as u (ordinal)
      where (
        select d.ordinal from retoma_internal.delivery as d
        where d.campaign_id = p_batch.campaign_id and d.ordinal = u.ordinal and d.attempt = p_batch.attempt
      ) is not null
    );
  end if;
  insert into retoma_internal.delivery (at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome)
  select
    p_context.at, v_batch.id, v_batch.campaign_id, u.ordinal, v_batch.lease_channel_id, v_batch.lease_epoch,
    v_batch.attempt, 'sent'
  from (select distinct unnest(p_ordinals) as ordinal) as u
  where u.ordinal <> all(v_known);
  get diagnostics v_accepted = row_count;
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
  return v_batch;
end;
$$;

comment on function retoma_internal.record_accepted(
  retoma_internal.batch, int[], retoma_internal.step_context
) is
'Records that these reserved messages were accepted. Returns the batch with its new counters, not yet written. Error
RT003: one of them is not reserved in this batch.';
