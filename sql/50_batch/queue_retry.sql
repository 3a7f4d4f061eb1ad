-- The messages join a waiting batch that is due within twice the delay and has room, so that single failures do not
-- become single batches. A new batch is due after one and a half times the delay. Locks the batch that they join, and
-- skips one that another transaction is leasing.
create or replace function retoma_internal.queue_retry(
  p_batch retoma_internal.batch,
  p_ordinals int[],
  p_counts int,
  p_delay interval,
  p_maybe_sent boolean,
  p_needs_dedupe boolean,
  p_channel_id int
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_room int := (select c.batch_size from retoma_internal.campaign as c where c.id = p_batch.campaign_id);
  v_id bigint;
begin
  select b.id into v_id
  from retoma_internal.batch as b
  where b.campaign_id = p_batch.campaign_id and b.zone = p_batch.zone and b.status = 'ready'
    and b.not_before between v_now + p_delay and v_now + 2 * p_delay
    and b.attempt = p_batch.attempt + 1 and b.attempts_counted = p_batch.attempts_counted + p_counts
    and b.maybe_sent = p_maybe_sent and b.needs_dedupe = p_needs_dedupe
    and b.channel_id is not distinct from p_channel_id
    and b.reserved = 0 and b.first_ordinal is null and b.size + cardinality(p_ordinals) <= v_room
  limit 1
  for update skip locked;
  if found then
    update retoma_internal.batch_list as l set ordinals = l.ordinals || p_ordinals where l.batch_id = v_id;
    update retoma_internal.batch as b set size = b.size + cardinality(p_ordinals) where b.id = v_id;
  else
    perform retoma_internal.queue_list(
      p_batch.campaign_id, p_batch.zone, (p_batch.attempt + 1)::smallint,
      (p_batch.attempts_counted + p_counts)::smallint, p_ordinals, v_now + 1.5 * p_delay, p_channel_id, p_maybe_sent,
      p_needs_dedupe
    );
  end if;
end;
$$;

comment on function retoma_internal.queue_retry(retoma_internal.batch, int[], int, interval, boolean, boolean, int) is
'Queues messages of a batch for another attempt, not earlier than p_delay from now. p_counts: 1 when this attempt counts
against max_attempts, else 0. p_maybe_sent: it may have arrived. p_needs_dedupe: see the column
of batch. p_channel_id: the only channel for the next attempt;
null: any.';
