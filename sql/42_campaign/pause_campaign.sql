-- Locks the campaign. Each runner sees the pause at its next step and gives its batch back.
create or replace function retoma.pause_campaign(p_campaign text) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_campaign retoma_internal.campaign;
begin
  v_campaign := retoma_internal.lock_campaign(p_campaign);
  if v_campaign.status not in ('running', 'interrupted', 'scheduled') then
    perform retoma_internal.refuse_transition(
      v_campaign, 'pause', 'Only a campaign that is scheduled, running or interrupted can be paused'
    );
  end if;
  update retoma_internal.campaign as c
  set status = 'paused', status_reason = 'paused by the operator', interrupt_cause = null
  where c.id = v_campaign.id;
  return 'paused';
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.pause_campaign(text) is
'Reserves no more messages of the campaign until resume_campaign. Requests that are under way still end. Returns the new
status: paused.
Errors: RT001 unknown campaign, RT002 not scheduled, running or interrupted.';
