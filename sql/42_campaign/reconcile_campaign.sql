-- The caller holds the row lock of the campaign. Its content and its channels are read after that lock. Locks its rows
-- of campaign_channel.
create or replace function retoma_internal.reconcile_campaign(p_campaign_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_fault text := retoma_internal.content_fault(p_campaign_id);
  v_reason text := coalesce(v_fault, retoma_internal.why_no_channel(p_campaign_id));
begin
  perform retoma_internal.judge_templates(p_campaign_id);
  if v_reason is null then
    update retoma_internal.campaign as c
    set status = 'running', status_reason = null, interrupt_cause = null
    where c.id = p_campaign_id and c.interrupt_cause = 'channel';
  else
    update retoma_internal.campaign as c
    set
      status = 'interrupted', status_reason = v_reason,
      interrupt_cause = case when v_fault is null then 'channel' else 'content' end
    where c.id = p_campaign_id
      and (c.status = 'running' or c.interrupt_cause = 'channel' and v_fault is not null);
  end if;
end;
$$;

comment on function retoma_internal.reconcile_campaign(int) is
'Interrupts a running campaign when its content cannot be sent or none of its channels can send. Resumes a campaign that
its channels interrupted, when one of them can send. Records which of them cannot send its template.';
