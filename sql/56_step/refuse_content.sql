-- For a runner that cannot render a content that another runner has checked, because it is an older version or another
-- program. It finds this before it reserves a message, so no message fails by it. No fault is recorded, so that
-- resume_campaign can continue the campaign. Locks the batch, the pacing of its channel when a message is under way,
-- then the campaign.
create or replace function retoma.refuse_content(
  p_runner_id uuid, p_batch_id bigint, p_lease_epoch int, p_reason text
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_batch retoma_internal.batch := retoma_internal.lock_lease(p_runner_id, p_batch_id, p_lease_epoch);
begin
  perform retoma_internal.insist_on_durability();
  perform retoma_internal.end_lease(v_batch.id, 'released');
  update retoma_internal.campaign as c
  set status = 'interrupted', interrupt_cause = 'content', status_reason = left(p_reason, 500)
  where c.id = v_batch.campaign_id and c.status = 'running';
end;
$$;

comment on function retoma.refuse_content(uuid, bigint, int, text) is
'For runners: gives the batch back and interrupts its campaign, because this runner cannot render its content. p_reason:
why, in words; the campaign shows its first 500 characters. Error RT010: this runner does not hold the batch under this
epoch.';
