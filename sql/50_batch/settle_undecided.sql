-- Moves the high-water mark over the rest of the batch, so that each of its messages has a delivery row which a
-- receipt, a lookup or an operator can settle. Locks the earlier deliveries. Does nothing while another transaction
-- applies a receipt to one of them: that receipt decides.
create or replace function retoma_internal.settle_undecided(p_batch retoma_internal.batch) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch := p_batch;
  v_now timestamptz := retoma.clock();
  v_ordinals int[] := retoma_internal.batch_ordinals(p_batch, p_batch.reserved + 1, p_batch.size);
  v_arrived int[];
  v_locked bigint;
begin
  perform from unnest(v_ordinals) as u (ordinal)
  inner join retoma_internal.delivery as d on d.campaign_id = p_batch.campaign_id and u.ordinal = d.ordinal
  order by d.ordinal, d.attempt
  for share of d skip locked;
  get diagnostics v_locked = row_count;
  if v_locked < (
    select count(*) from unnest(v_ordinals) as u (ordinal)
    inner join retoma_internal.delivery as d on d.campaign_id = p_batch.campaign_id and u.ordinal = d.ordinal
  ) then
    return;
  end if;
  v_arrived := array(
    select u.ordinal from unnest(v_ordinals) as u (ordinal)
    where retoma_internal.has_arrived(p_batch.campaign_id, u.ordinal)
  );
  -- The deliveries name the channel that may have sent these messages.
  v_batch.lease_channel_id := p_batch.channel_id;
  v_batch := retoma_internal.settle_without_sending(v_batch, v_arrived, 'sent', 'receipt', v_now);
  v_batch := retoma_internal.settle_without_sending(
    v_batch, array(select u.ordinal from unnest(v_ordinals) as u (ordinal) where u.ordinal <> all(v_arrived)),
    'in_doubt', 'cancelled', v_now
  );
  update retoma_internal.batch as b
  set
    reserved = b.size, sent = v_batch.sent, in_doubt = v_batch.in_doubt, status = 'cancelled',
    lease_epoch = b.lease_epoch + (b.status = 'ready')::int, used_channel_id = p_batch.channel_id
  where b.id = p_batch.id;
end;
$$;

comment on function retoma_internal.settle_undecided(retoma_internal.batch) is
'For a batch of a cancelled campaign whose messages an earlier attempt may have sent: those that were not sent again are
in doubt, with the code cancelled, or sent when a receipt has proved it. The caller has locked the batch.';
