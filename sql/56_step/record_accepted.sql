-- Nearly all outcomes come here. They come as an array and take one insert, because reading each from JSON costs as
-- much as its row. An outcome that was recorded already is passed over: the call that brought it lost its reply. No
-- other transaction can record it now, as the batch is locked. So one query looks for all of them: "on conflict do
-- nothing" would cost a third of each insert.
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
    -- Here the planner may leave the array out of what it asks the index for, and read all deliveries of the campaign.
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
  end if;
  if (p_context.pacing).gap_max > '0 s' or (p_context.pacing).hold_streak > 0 then
    perform retoma_internal.start_gap(v_batch.lease_channel_id, p_context.at, p_accepted => v_accepted > 0);
  end if;
  return v_batch;
end;
$$;

comment on function retoma_internal.record_accepted(
  retoma_internal.batch, int[], retoma_internal.step_context
) is
'Records that these reserved messages were accepted; returns the batch with its new counters, not yet written.';
