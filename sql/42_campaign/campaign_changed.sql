-- AFTER INSERT, or AFTER UPDATE that changes the status.
create or replace function retoma_internal.campaign_changed() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  insert into retoma_internal.event (subject, campaign_id, from_state, to_state, why)
  values ('campaign', new.id, case when tg_op = 'UPDATE' then old.status end, new.status, new.status_reason);
  if new.status = 'running' then
    perform retoma_internal.ring_campaign(new.id);
  elsif new.status in ('completed', 'cancelled') then
    -- Nothing more of it is checked.
    update retoma_internal.campaign_content as t set rendering = false where t.campaign_id = new.id and t.rendering;
  end if;
  return null;
end;
$$;

comment on function retoma_internal.campaign_changed() is
'Trigger: writes the audit. When the campaign is now running, rings its channels.';

create or replace trigger campaign_changed after update on retoma_internal.campaign
for each row when (old.status is distinct from new.status) execute function retoma_internal.campaign_changed();

create or replace trigger campaign_created after insert on retoma_internal.campaign
for each row execute function retoma_internal.campaign_changed();
