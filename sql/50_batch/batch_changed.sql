-- AFTER UPDATE that changes the status. When two runners end the last two batches of a campaign at the same time, they
-- take turns at the lock of the campaign, and the second one sees the batch of the first.
create or replace function retoma_internal.batch_changed() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  insert into retoma_internal.event (subject, campaign_id, batch_id, channel_id, runner_id, from_state, to_state)
  values (
    'batch', new.campaign_id, new.id, coalesce(new.lease_channel_id, old.lease_channel_id),
    coalesce(new.runner_id, old.runner_id), old.status, new.status
  );
  if new.status = 'completed' then
    perform from retoma_internal.campaign as c where c.id = new.campaign_id for no key update;
    update retoma_internal.campaign as c
    set status = 'completed', status_reason = null, interrupt_cause = null
    where c.id = new.campaign_id and c.status in ('running', 'paused', 'interrupted')
      and not exists (
        select from retoma_internal.batch as b where b.campaign_id = new.campaign_id and b.status in ('ready', 'leased')
      );
  end if;
  return null;
end;
$$;

comment on function retoma_internal.batch_changed() is
'Trigger: writes the audit. Completes the campaign when this was its last batch.';

create or replace trigger batch_changed after update on retoma_internal.batch
for each row when (old.status is distinct from new.status) execute function retoma_internal.batch_changed();
