-- Locks the campaign. Runners notice at their next step and give their batches back.
create or replace function retoma.pause_campaign(p_campaign text) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.lock_campaign(p_campaign);
begin
  if v_campaign.status not in ('running', 'interrupted', 'scheduled') then
    perform retoma_internal.refuse_transition(
      v_campaign, 'pause', 'Only a campaign that is scheduled, running or interrupted can be paused'
    );
  end if;
  update retoma_internal.campaign as c
  set status = 'paused', status_reason = 'paused by the operator', interrupt_cause = null
  where c.id = v_campaign.id;
  return 'paused';
end;
$$;

comment on function retoma.pause_campaign(text) is
'Sends nothing more after the messages already under way, until resume_campaign. Errors: RT001, RT002 not under way.';
