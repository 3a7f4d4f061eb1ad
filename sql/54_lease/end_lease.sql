-- No state of the tables may keep a lease for ever, because its channel would wait for it with all its campaigns. So
-- when the lease cannot be settled by the rules, it is broken (see break_lease), and its campaign will be interrupted.
--
-- Locks the batch, or does nothing while another transaction is changing it. Then locks the pacing of the channel. It
-- never completes a batch or interrupts a campaign: that would lock the campaign too, and the caller may continue with
-- other batches.
create or replace function retoma_internal.end_lease(p_batch_id bigint, p_code text) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch;
  v_state text;
  v_cause text;
begin
  select b.* into v_batch
  from retoma_internal.batch as b
  where b.id = p_batch_id and b.status = 'leased'
  for update skip locked;
  if not found then
    return false;
  end if;
  begin
    perform retoma_internal.settle_lease(v_batch, p_code);
  exception
    when others then
      get stacked diagnostics v_state = returned_sqlstate, v_cause = message_text;
      if not retoma_internal.is_defect(v_state) then
        raise;
      end if;
      perform retoma_internal.break_lease(v_batch, p_code, v_cause);
  end;
  return true;
end;
$$;

comment on function retoma_internal.end_lease(bigint, text) is
'Ends the lease of a batch outside of a step, and fences off its runner. p_code: why, and the code of its messages in
doubt: runner_gone, released, or lease_expired (the runner may only be frozen and might still send, so no lookup can
prove that it has not sent). False when the batch is locked or not leased.';
