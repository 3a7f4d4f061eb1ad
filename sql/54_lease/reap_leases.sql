-- Takes back the leases that expired. Those of a runner that stopped are taken back at once. So are those of a runner
-- whose session is gone, unless the server has restarted since it registered: then the session says nothing about the
-- process (invariant 10: this decides only how fast).
-- Locks those batches, and passes over any that is being changed (a lease that was renewed meanwhile is judged again
-- under the lock); then the pacing of their channels; then campaigns.
create or replace function retoma_internal.reap_leases() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_gone uuid[] := array(
    select r.id from retoma_internal.runner as r
    where r.stopped_at is not null or (
      r.server_started_at = pg_postmaster_start_time()
      and not r.lock_key = any(array(select k from retoma_internal.locked_runner_keys() as k))
    )
  );
  v_ids bigint[];
  v_codes text[];
begin
  select
    coalesce(array_agg(l.id), '{}'),
    coalesce(array_agg(case when l.is_gone then 'runner_gone' else 'lease_expired' end), '{}')
  into v_ids, v_codes
  from (
    select b.id, b.runner_id = any(v_gone) as is_gone
    from retoma_internal.batch as b
    where b.status = 'leased' and (b.lease_expires_at < v_now or b.runner_id = any(v_gone))
    order by b.id
    for update skip locked
  ) as l;
  if v_ids = '{}' then
    return 0;
  end if;
  perform retoma_internal.end_leases(v_ids, v_codes);
  perform retoma_internal.complete_batches(v_ids);
  return cardinality(v_ids);
end;
$$;

comment on function retoma_internal.reap_leases() is 'Takes back the leases of dead runners. Returns how many.';
