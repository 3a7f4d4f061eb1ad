-- Locks the campaign, so that two loads of it take turns.
create or replace function retoma.lock_draft(p_campaign text) returns retoma.campaign
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign, p_lock => true);
begin
  if v_campaign.status <> 'draft' then
    perform retoma.refuse_transition(
      v_campaign, 'add recipients to', 'The audience is frozen at the start: make a new campaign for further recipients'
    );
  end if;
  -- A block of campaigns can be dropped while its last one is being created.
  perform retoma.ensure_partition(v_campaign.id);
  return v_campaign;
end;
$$;

comment on function retoma.lock_draft(text) is 'The draft of this name, locked. Errors: RT001 unknown campaign, RT002 it is not a draft.';
