-- BEFORE UPDATE. Keeps the state machine of a campaign, and what is fixed after the draft. Sets started_at and
-- finished_at.
create or replace function retoma_internal.campaign_guard() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if (new.id, new.token, new.variant_bounds) is distinct from (old.id, old.token, old.variant_bounds)
    or (
      old.status <> 'draft'
      and (new.total, new.batch_size) is distinct from (old.total, old.batch_size)
    )
  then
    raise exception using errcode = 'RT002', constraint = 'campaign_fixed',
      message = format(
        'campaign %L is %s: its identity, recipients and batch size are fixed', old.name, old.status
      ),
      hint = 'Create a new campaign';
  end if;
  if new.status = old.status then
    return new;
  end if;
  if not (old.status || '>' || new.status) = any(array[
    'draft>scheduled', 'draft>running', 'draft>cancelled',
    'scheduled>running', 'scheduled>paused', 'scheduled>cancelled',
    'running>paused', 'running>interrupted', 'running>completed', 'running>cancelled',
    'paused>running', 'paused>scheduled', 'paused>completed', 'paused>cancelled',
    'interrupted>running', 'interrupted>paused', 'interrupted>completed', 'interrupted>cancelled',
    'completed>running'
  ]) then
    raise exception using errcode = 'RT002', constraint = 'wrong_status',
      message = format('campaign %L cannot go from %s to %s', old.name, old.status, new.status),
      hint = 'Use the functions: start_campaign, pause_campaign, resume_campaign, cancel_campaign, retry_failed';
  end if;
  if new.status = 'completed' and exists (
    select from retoma_internal.batch as b where b.campaign_id = new.id and b.status in ('ready', 'leased')
  ) then
    raise exception using errcode = 'RT002', constraint = 'messages_remain',
      message = format('campaign %L cannot be completed: it has messages to send', old.name),
      hint = 'It completes by itself; to end it now: select retoma.cancel_campaign(name)';
  end if;
  if new.status = 'running' then
    new.started_at := coalesce(new.started_at, retoma.clock());
  elsif new.status in ('completed', 'cancelled') then
    new.finished_at := retoma.clock();
    new.interrupt_cause := null;
  end if;
  return new;
end;
$$;

comment on function retoma_internal.campaign_guard() is
'Trigger: refuses changes of a campaign that are not allowed (RT002).';

create or replace trigger campaign_guard before update on retoma_internal.campaign
for each row execute function retoma_internal.campaign_guard();
