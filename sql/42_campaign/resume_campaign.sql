-- Locks the campaign. Its trigger rings.
create or replace function retoma.resume_campaign(p_campaign text) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_campaign retoma_internal.campaign;
begin
  v_campaign := retoma_internal.lock_campaign(p_campaign);
  if v_campaign.status = 'interrupted' and v_campaign.interrupt_cause = 'channel' then
    perform retoma_internal.refuse_transition(
      v_campaign, 'resume',
      v_campaign.status_reason || '. It continues by itself after retoma.channel_connected or resume_channel, '
        || 'or when its template can be sent'
    );
  elsif v_campaign.status = 'interrupted' and retoma_internal.content_fault(v_campaign.id) is not null then
    perform retoma_internal.refuse_transition(
      v_campaign, 'resume', v_campaign.status_reason || '. Its content is fixed: create a new campaign'
    );
  elsif v_campaign.status not in ('paused', 'interrupted') then
    perform retoma_internal.refuse_transition(
      v_campaign, 'resume', 'Only a campaign that is paused or interrupted can be resumed'
    );
  end if;
  update retoma_internal.campaign as c
  set
    status = case when c.starts_at > retoma.clock() then 'scheduled' else 'running' end,
    status_reason = null, interrupt_cause = null, resumed_at = retoma.clock()
  where c.id = v_campaign.id;
  perform retoma_internal.reconcile_campaign(v_campaign.id);
  return (select c.status from retoma_internal.campaign as c where c.id = v_campaign.id);
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.resume_campaign(text) is
'Continues a campaign from the message where it stopped: one that is paused, or that a breaker or a runner interrupted.
Returns the new status: running, scheduled when its start is in the future, or interrupted when it cannot be sent.
Errors: RT001 unknown campaign, RT002 neither paused nor interrupted, or interrupted by its channels or by a content
that can never be sent.';
