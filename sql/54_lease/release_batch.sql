-- Locks the batch. Locks the pacing of its channel when a message is under way or the whole batch is reserved, and the
-- campaign when the batch is complete.
create or replace function retoma.release_batch(p_runner_id uuid, p_batch_id bigint, p_lease_epoch int) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_batch retoma_internal.batch := retoma_internal.lock_lease(p_runner_id, p_batch_id, p_lease_epoch);
begin
  perform retoma_internal.insist_on_durability();
  perform retoma_internal.end_lease(v_batch.id, 'released');
  perform retoma_internal.complete_batches(array[v_batch.id]);
  perform retoma.ring(array[v_batch.lease_channel_id]);
end;
$$;

comment on function retoma.release_batch(uuid, bigint, int) is
'For runners: gives a batch back before its end. Record outcomes before: a reserved message without an outcome becomes
in doubt, or is sent again on a channel that dedupes. Error RT010: this runner does not hold the batch under this
epoch.';
