-- Locks the ready batches, then the campaign: batches always come first (see install.sql). A leased batch ends at the
-- next step of its runner, which cancels the messages that are not reserved by then.
create or replace function retoma.cancel_campaign(p_campaign text) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.find_campaign(p_campaign);
begin
  if v_campaign.status in ('completed', 'cancelled') then
    perform retoma_internal.refuse_transition(v_campaign, 'cancel', 'It has already ended');
  end if;
  update retoma_internal.batch as b
  set status = 'cancelled', lease_epoch = b.lease_epoch + 1
  from (
    select r.id from retoma_internal.batch as r
    where r.campaign_id = v_campaign.id and r.status = 'ready'
    order by r.id
    for update
  ) as locked
  where b.id = locked.id;
  update retoma_internal.campaign as c
  set status = 'cancelled', status_reason = 'cancelled by the operator', interrupt_cause = null
  where c.id = v_campaign.id;
  return 'cancelled';
end;
$$;

comment on function retoma.cancel_campaign(text) is
'Ends a campaign for good: messages that are not reserved are cancelled, or stay in doubt when an earlier attempt may
have sent them. Returns the new status: cancelled.
Errors: RT001 unknown campaign, RT002 it has already ended.';
