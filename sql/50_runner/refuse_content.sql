-- A text that the runner cannot render is found before its first message is reserved: nobody has failed by it.
create or replace function retoma.refuse_content(
  p_batch_id bigint, p_lease_epoch int, p_reason text, p_runner uuid default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma.batch := retoma.hold_batch(p_batch_id, p_lease_epoch, null, p_runner);
begin
  perform retoma.insist_on_durability();
  perform retoma.end_lease(v_batch.id, 'released');
  update retoma.campaign as c
  set status = 'interrupted', interrupt_cause = 'breaker', status_reason = left(p_reason, 500)
  where c.id = v_batch.campaign_id and c.status = 'running';
end;
$$;

comment on function retoma.refuse_content(bigint, int, text, uuid) is
'For runners: gives the batch back and interrupts its campaign, whose text cannot be rendered. p_runner: who calls.
Error RT010: not its live epoch.';
