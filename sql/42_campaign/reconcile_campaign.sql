-- Makes a campaign interrupted when none of its channels can send, and running again when one can. The caller holds the
-- row lock of the campaign; the state of its channels is read after that lock.
create or replace function retoma_internal.reconcile_campaign(p_campaign_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_reason text := retoma_internal.why_no_channel(p_campaign_id);
begin
  if v_reason is null then
    update retoma_internal.campaign as c
    set status = 'running', status_reason = null, interrupt_cause = null
    where c.id = p_campaign_id and c.interrupt_cause = 'channel';
  else
    update retoma_internal.campaign as c
    set status = 'interrupted', status_reason = v_reason, interrupt_cause = 'channel'
    where c.id = p_campaign_id and c.status = 'running';
  end if;
end;
$$;

comment on function retoma_internal.reconcile_campaign(int) is
'Interrupts or resumes a campaign by the state of its channels.';
