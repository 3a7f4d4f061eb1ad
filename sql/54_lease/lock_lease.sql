-- The fence (invariant 2): locks the batch, and refuses every caller that does not hold its lease. A lease that has
-- expired but was not reaped is still a lease: expiry decides how fast recovery is, never which runner may write. Epoch
-- and runner are both checked, because a server that was promoted without the last commits can give an epoch a second
-- time, to another runner.
create or replace function retoma_internal.lock_lease(
  p_runner_id uuid, p_batch_id bigint, p_lease_epoch int
) returns retoma_internal.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch;
begin
  select b.* into v_batch from retoma_internal.batch as b where b.id = p_batch_id for no key update;
  if v_batch.status is distinct from 'leased' or v_batch.lease_epoch is distinct from p_lease_epoch
    or v_batch.runner_id is distinct from p_runner_id
  then
    raise exception using errcode = 'RT010', constraint = 'stale_lease',
      message = format('the lease of batch %s under epoch %s is over', p_batch_id, p_lease_epoch),
      detail = format('The batch is %s under epoch %s', coalesce(v_batch.status, 'unknown'), v_batch.lease_epoch),
      hint = 'Drop the batch: send no more of its messages and record no outcome; then lease again';
  end if;
  return v_batch;
end;
$$;

comment on function retoma_internal.lock_lease(uuid, bigint, int) is
'The batch, locked for the runner that holds its lease under this epoch. Error RT010: the lease has ended, or belongs to
another runner.';
