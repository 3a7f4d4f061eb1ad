-- A lease is reaped when it has expired, or at once when its runner has stopped. Also at once when the session of its
-- runner has ended, unless the server has restarted since the runner registered: then the session says nothing about
-- the process (invariant 10: this decides only how fast).
--
-- Locks these batches, and skips those that another transaction is changing. A lease that was renewed in the meantime
-- is judged again under the lock. Then locks the pacing of their channels and their campaigns, see end_leases.
create or replace function retoma_internal.reap_leases(p_ids bigint[] default null) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_gone uuid[] := array(
    select r.id from retoma_internal.runner as r
    where r.stopped_at is not null or (
      r.server_started_at = pg_postmaster_start_time()
      and not r.id = any(array(select c from retoma_internal.connected_runners() as c))
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
      and (p_ids is null or b.id = any(p_ids))
    order by b.id
    for update skip locked
  ) as l;
  if v_ids = '{}' then
    return 0;
  end if;
  perform retoma_internal.end_leases(v_ids, v_codes);
  perform retoma_internal.complete_batches(v_ids);
  return (select count(*) from retoma_internal.batch as b where b.id = any(v_ids) and b.status <> 'leased');
end;
$$;

comment on function retoma_internal.reap_leases(bigint[]) is
'Ends the leases that have expired and those of runners that are gone. p_ids: only of these batches; null: of all.
Returns how many.';
