-- Locks the campaign.
create or replace function retoma.clear_recipients(p_campaign text) returns bigint
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_campaign retoma_internal.campaign;
begin
  v_campaign := retoma_internal.lock_draft(p_campaign);
  -- For the trigger keep; until the rows are gone.
  perform set_config('retoma_internal.erasing', 'yes', true);
  delete from retoma_internal.message as m where m.campaign_id = v_campaign.id;
  perform set_config('retoma_internal.erasing', 'no', true);
  delete from retoma.recipient_reject as r where r.campaign_id = v_campaign.id;
  update retoma_internal.campaign as c set total = 0 where c.id = v_campaign.id;
  perform retoma_internal.forget_rendering(v_campaign.id);
  return v_campaign.total;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.clear_recipients(text) is
'Takes all recipients out of a draft, and the list of its rejects, so that a corrected list can be loaded in their
place. Returns how many there were. Errors: RT001 unknown campaign, RT002 not a draft.';
