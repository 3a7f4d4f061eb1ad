-- Gives back all leases of the runner in one call. One by one, over a few connections, takes seconds when it has
-- hundreds of channels. Locks its batches in the order of their ids, then the pacing of their channels, then campaigns.
-- It rings no channel, because 5,000 rings take longer than a runner should need to stop. The tick of another runner
-- rings.
create or replace function retoma.unregister_runner(p_runner_id uuid) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_ids bigint[];
begin
  perform retoma_internal.insist_on_durability();
  update retoma_internal.runner as r set stopped_at = retoma.clock() where r.id = p_runner_id;
  v_ids := array(
    select b.id from retoma_internal.batch as b
    where b.status = 'leased' and b.runner_id = p_runner_id
    order by b.id
    for update skip locked
  );
  perform retoma_internal.end_leases(v_ids, array_fill('released'::text, array[cardinality(v_ids)]));
  perform retoma_internal.complete_batches(v_ids);
end;
$$;

comment on function retoma.unregister_runner(uuid) is
'For runners: the runner stops and gives back all its leases. Record outcomes before: a reserved message without an
outcome becomes in doubt, or is sent again on a channel that dedupes. No effect for an unknown runner.';
