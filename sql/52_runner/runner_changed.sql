create or replace function retoma_internal.runner_changed() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  insert into retoma_internal.event (subject, runner_id, to_state, why)
  values ('runner', new.id, case when new.stopped_at is null then 'registered' else 'stopped' end, new.name);
  return null;
end;
$$;

comment on function retoma_internal.runner_changed() is 'Trigger: writes the audit when a runner registers or stops.';

create or replace trigger runner_registered after insert on retoma_internal.runner
for each row execute function retoma_internal.runner_changed();

create or replace trigger runner_changed after update on retoma_internal.runner
for each row when (
  old.stopped_at is distinct from new.stopped_at or old.server_started_at <> new.server_started_at
) execute function retoma_internal.runner_changed();
