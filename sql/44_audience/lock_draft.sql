-- Locks the campaign, so that two loads of one campaign take turns.
create or replace function retoma_internal.lock_draft(p_campaign text) returns retoma_internal.campaign
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.lock_campaign(p_campaign);
begin
  if v_campaign.status <> 'draft' then
    perform retoma_internal.refuse_transition(
      v_campaign, 'add recipients to', 'The audience is frozen at the start: make a new campaign for further recipients'
    );
  end if;
  -- A block of campaigns can be dropped while its last one is being created.
  perform retoma_internal.ensure_partition(v_campaign.id);
  return v_campaign;
end;
$$;

comment on function retoma_internal.lock_draft(text) is
'The draft of this name, locked. Errors: RT001 unknown campaign, RT002 it is not a draft.';
