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
      v_campaign, 'add recipients to', 'The audience is fixed at the start: create a new campaign for more recipients'
    );
  end if;
  -- The partitions of a block can be dropped while its last campaign is being created.
  perform retoma_internal.ensure_partition(v_campaign.id);
  return v_campaign;
end;
$$;

comment on function retoma_internal.lock_draft(text) is
'The draft of this name, locked. Errors: RT001 unknown campaign, RT002 not a draft.';
