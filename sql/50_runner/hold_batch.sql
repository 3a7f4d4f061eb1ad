-- Fencing (invariant 2): locks the batch and refuses whoever does not hold its lease. An expired lease that nobody has taken back
-- still is one: expiry decides how fast recovery is, never who may write. The runner is named too, because a server that was promoted
-- without the last commits gives an epoch again that somebody else has had from the old one.
create or replace function retoma.hold_batch(p_batch_id bigint, p_lease_epoch int, p_seen int, p_runner uuid) returns retoma.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch;
begin
  select b.* into v_batch from retoma.batch as b where b.id = p_batch_id for no key update;
  if v_batch.status is distinct from 'leased' or v_batch.lease_epoch is distinct from p_lease_epoch
    or v_batch.runner_id <> p_runner
  then
    raise exception using errcode = 'RT010',
      message = format('the lease of batch %s under epoch %s is over', p_batch_id, p_lease_epoch),
      detail = format('The batch is %s under epoch %s', coalesce(v_batch.status, 'unknown'), v_batch.lease_epoch),
      hint = 'Drop the batch: send nothing more of it, record nothing; lease again';
  end if;
  if p_seen < 0 or p_seen > v_batch.reserved then
    raise exception using errcode = 'RT003',
      message = format('batch %s has reserved %s messages, it cannot have shown %s', p_batch_id, v_batch.reserved, p_seen),
      hint = 'p_seen is "reserved" of the last reply';
  end if;
  return v_batch;
end;
$$;

comment on function retoma.hold_batch(bigint, int, int, uuid) is
'Locks a batch for its holder; p_runner null: whoever knows the epoch. Error RT010: the epoch is not its live one, or another''s.';
