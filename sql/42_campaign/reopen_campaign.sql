-- Locks the campaign. The caller has locked its batches before.
create or replace function retoma_internal.reopen_campaign(p_campaign_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform from retoma_internal.campaign as c where c.id = p_campaign_id for no key update;
  update retoma_internal.campaign as c
  set status = 'running', finished_at = null, status_reason = null
  where c.id = p_campaign_id and c.status = 'completed'
    and exists (select from retoma_internal.batch as b where b.campaign_id = p_campaign_id and b.status = 'ready');
  -- It was cancelled while the caller queued these batches: tick cancels them.
  update retoma_internal.campaign as c
  set cancelling = true
  where c.id = p_campaign_id and c.status = 'cancelled'
    and exists (select from retoma_internal.batch as b where b.campaign_id = p_campaign_id and b.status = 'ready');
  perform retoma_internal.reconcile_campaign(p_campaign_id);
end;
$$;

comment on function retoma_internal.reopen_campaign(int) is
'Sets a completed campaign running again when it has ready batches.';
