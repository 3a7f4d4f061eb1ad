-- Locks the campaign, then those of its batches that no other transaction has locked. The other batches, and those
-- that are leased, end a moment later: at the next step of their runner, or in a tick.
create or replace function retoma.cancel_campaign(p_campaign text) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_campaign retoma_internal.campaign;
begin
  v_campaign := retoma_internal.lock_campaign(p_campaign);
  if v_campaign.status in ('completed', 'cancelled') then
    perform retoma_internal.refuse_transition(v_campaign, 'cancel', 'It has already ended');
  end if;
  update retoma_internal.campaign as c
  set status = 'cancelled', status_reason = 'cancelled by the operator', interrupt_cause = null, cancelling = true
  where c.id = v_campaign.id;
  perform retoma_internal.cancel_batches(v_campaign.id);
  return 'cancelled';
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.cancel_campaign(text) is
'Ends a campaign for good: messages that are not reserved are cancelled, or in doubt when an earlier attempt may have
sent them. Returns the new status: cancelled.
Errors: RT001 unknown campaign, RT002 it has already ended.';
