-- Without this, the runner would lease the batch again, and fail again. Requests of the runner may still be under way,
-- so the lease ends as one that expired: a lookup that finds nothing proves nothing. Locks the batch, and the pacing of
-- its channel when a message is under way.
create or replace function retoma.give_up_batch(
  p_runner_id uuid, p_batch_id bigint, p_lease_epoch int, p_sqlstate text, p_cause text
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_batch retoma_internal.batch := retoma_internal.lock_lease(p_runner_id, p_batch_id, p_lease_epoch);
begin
  perform retoma_internal.insist_on_durability();
  perform retoma_internal.end_lease(v_batch.id, 'lease_expired');
  update retoma_internal.batch as b
  set
    defect = case
      when retoma_internal.is_defect(p_sqlstate)
        then coalesce(b.defect, format('%s (%s)', left(retoma_internal.mask_numbers(p_cause), 300), p_sqlstate))
      else b.defect
    end,
    -- Another error may pass, but not at once.
    not_before = greatest(b.not_before, retoma.clock() + (select s.lease_duration from retoma.setting as s))
  where b.id = v_batch.id and b.status = 'ready';
end;
$$;

comment on function retoma.give_up_batch(uuid, bigint, int, text, text) is
'For runners: gives a batch back because a step of its lease failed with an error that is not a passing one. Messages
under way become in doubt. When the error comes from the rows of the batch, its campaign is interrupted within a tick,
and shows p_cause. p_sqlstate, p_cause: the SQLSTATE and the message of the error. Error RT010: this runner does not
hold the batch under this epoch.';
