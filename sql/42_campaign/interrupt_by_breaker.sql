-- Locks the campaign. Its trigger writes the audit.
create or replace function retoma_internal.interrupt_by_breaker(
  p_campaign_id int, p_reason text, p_sent_at timestamptz default 'infinity'
) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  update retoma_internal.campaign as c
  set status = 'interrupted', interrupt_cause = 'breaker', status_reason = left(p_reason, 500)
  where c.id = p_campaign_id and c.status = 'running' and c.resumed_at < p_sent_at;
  return found;
end;
$$;

comment on function retoma_internal.interrupt_by_breaker(int, text, timestamptz) is
'Interrupts a campaign that is running, until resume_campaign. p_sent_at: when the message was sent that shows why; one
from before the last resume changes nothing. Returns whether it is interrupted by this.';
