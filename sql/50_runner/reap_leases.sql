-- Takes back the leases that expired, and at once those of a runner that stopped or whose session is gone, unless the server has
-- restarted since it registered: then the session says nothing of the process (invariant 10: this decides only how fast).
-- Locks those batches, passing over any that is being changed (a lease that was renewed meanwhile is judged anew under the lock);
-- then the pacing of their channels; then campaigns.
create or replace function retoma.reap_leases() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids bigint[];
begin
  v_ids := array(
    select b.id
    from retoma.batch as b
    inner join retoma.runner as r on b.runner_id = r.id
    where b.status = 'leased' and (
      b.lease_expires_at < retoma.clock()
      or r.stopped_at is not null
      or (
        r.server_started_at = pg_postmaster_start_time()
        and not r.lock_key = any(array(select k from retoma.locked_runner_keys() as k))
      )
    )
    order by b.id
    for update of b skip locked
  );
  v_ids := array(select u.id from unnest(v_ids) as u (id) where retoma.end_lease(u.id, 'its runner is gone'));
  perform retoma.complete_batches(v_ids);
  return cardinality(v_ids);
end;
$$;

comment on function retoma.reap_leases() is 'Takes back the leases of dead runners. Returns how many.';
