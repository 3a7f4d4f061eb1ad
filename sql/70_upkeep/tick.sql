-- Each live runner calls this every half second, so that recovery needs no operator (invariant 9). Only one runs at a
-- time: a runner that finds the lock taken does not wait. The order of the steps is the order of locks of install.sql.
create or replace function retoma.tick(
  p_runner_id uuid default null, out settled int, out reaped int, out started int, out rung int, out unchecked int
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.insist_on_durability();
  update retoma_internal.runner as r set last_seen_at = retoma.clock() where r.id = p_runner_id;
  if not pg_try_advisory_xact_lock(retoma_internal.runner_lock_class(), 0) then
    return;
  end if;
  settled := retoma_internal.apply_waiting_receipts();
  reaped := retoma_internal.reap_leases();
  perform retoma_internal.finish_cancelling();
  started := retoma_internal.start_due_campaigns();
  perform retoma_internal.reconcile_campaigns();
  perform retoma_internal.sweep_jobs();
  rung := retoma_internal.ring_ready_channels();
  unchecked := (select count(*) from retoma.contents_to_check());
end;
$$;

comment on function retoma.tick(uuid) is
'For runners, about every half second: records that p_runner_id is alive, applies early receipts (settled), reaps leases
(reaped), ends the batches of cancelled campaigns, starts due campaigns (started), interrupts and resumes campaigns by
the state of their channels, removes jobs of dead runners, and rings channels that have work (rung). unchecked: contents
that wait for contents_to_check, 10 at most. Returns nulls while another runner is doing this.';
