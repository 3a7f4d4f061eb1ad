-- Locks the batch and, when something is still under way, its channel's pacing.
create or replace function retoma.release_batch(p_batch_id bigint, p_lease_epoch int, p_runner uuid default null) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch := retoma.hold_batch(p_batch_id, p_lease_epoch, null, p_runner);
begin
  perform retoma.insist_on_durability();
  perform retoma.end_lease(v_batch.id, 'released');
  perform retoma.complete_batches(array[v_batch.id]);
  perform retoma.ring(array[v_batch.lease_channel_id]);
end;
$$;

comment on function retoma.release_batch(bigint, int, uuid) is
'For runners: gives a batch back before its end. Record outcomes first: what is reserved without one becomes in doubt (or is sent
again, on a channel that dedupes). p_runner: who calls. Error RT010: the epoch is not that of a live lease (of p_runner).';
