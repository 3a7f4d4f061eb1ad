-- Each live runner calls this every half second, so that recovery needs no operator (invariant 9). Only one does the
-- work at a time, and the others do not wait: it takes its turn by a row lock. A session that keeps the turn in a
-- transaction that is left open does not stop the ticks: after 2 seconds another one goes on beside it. That is safe,
-- because each part locks the rows that it changes, and passes over those that another transaction has locked.
--
-- No part waits for a lock longer than lock_timeout. Then it fails, and the tick goes on with the next one. The order
-- of the parts is the order of locks of install.sql.
create or replace function retoma.tick(
  p_runner_id uuid default null, out settled int, out reaped int, out started int, out rung int, out unchecked int
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '250ms'
as $$
declare
  v_began timestamptz := retoma.clock();
  v_works boolean := retoma_internal.take_turn('tick')
    or (retoma_internal.is_tick_late(v_began) and retoma_internal.take_turn('late_tick'));
begin
  perform retoma_internal.insist_on_durability();
  update retoma_internal.runner as r
  set last_seen_at = v_began, ticked_at = case when v_works then v_began else r.ticked_at end
  from (
    select s.id from retoma_internal.runner as s where s.id = p_runner_id for no key update skip locked
  ) as own
  where r.id = own.id;
  if not v_works then
    return;
  end if;
  settled := retoma_internal.run_part('receipts');
  if retoma_internal.run_part('failures') > 0 then
    -- It holds locks of a channel and its campaigns, which come last. The next tick does the rest.
    return;
  end if;
  reaped := retoma_internal.run_part('leases');
  perform retoma_internal.run_part('defects');
  perform retoma_internal.run_part('cancels');
  started := retoma_internal.run_part('starts');
  perform retoma_internal.run_part('campaigns');
  perform retoma_internal.run_part('zones');
  perform retoma_internal.run_part('jobs');
  rung := retoma_internal.run_part('rings');
  unchecked := retoma_internal.run_part('contents');
  perform retoma_internal.close_tick_failures(v_began);
end;
$$;

comment on function retoma.tick(uuid) is
'For runners, about every half second: records that p_runner_id is alive, applies early receipts (settled), reaps leases
(reaped), interrupts campaigns that cannot go on, ends the batches of cancelled campaigns, starts due campaigns
(started), interrupts and resumes campaigns by the state of their channels, removes jobs of dead runners, and rings
channels that have work (rung). unchecked: contents that wait for contents_to_check or recipients_to_render, 10 at most
of each. A part that fails does not stop the others: see v_tick and v_tick_failure. Returns nulls while another runner
is doing this.';
