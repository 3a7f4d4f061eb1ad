-- Locks the pacing of the channel, then earlier deliveries of the messages.
create or replace function retoma_internal.give_up_repeats(
  p_batch retoma_internal.batch, p_context retoma_internal.step_context
) returns retoma_internal.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch := p_batch;
  v_ordinals int[] := retoma_internal.batch_ordinals(p_batch, p_batch.reserved + 1, p_batch.size);
  v_arrived int[];
begin
  perform from retoma_internal.channel_pacing as p where p.channel_id = v_batch.lease_channel_id for update;
  perform from retoma_internal.channel as c
  where c.id = v_batch.lease_channel_id and retoma_internal.content_kind(v_batch.campaign_id) = any(c.dedupes);
  if found then
    return v_batch;
  end if;
  perform retoma_internal.await_receipts(v_batch, v_ordinals);
  v_arrived := array(
    select u.ordinal from unnest(v_ordinals) as u (ordinal)
    where retoma_internal.has_arrived(v_batch.campaign_id, u.ordinal)
  );
  v_batch.reserved := v_batch.size;
  v_batch := retoma_internal.settle_without_sending(v_batch, v_arrived, 'sent', 'receipt', p_context.at);
  return retoma_internal.settle_without_sending(
    v_batch, array(select u.ordinal from unnest(v_ordinals) as u (ordinal) where u.ordinal <> all(v_arrived)),
    'in_doubt', 'id_ignored', p_context.at
  );
end;
$$;

comment on function retoma_internal.give_up_repeats(retoma_internal.batch, retoma_internal.step_context) is
'For a batch with needs_dedupe: when its channel does not dedupe any more, its messages that are not sent yet become in
doubt. Returns the batch with its new counters, not yet written.';
