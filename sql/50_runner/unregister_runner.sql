-- What the runner still holds is taken back by the next tick at once.
create or replace function retoma.unregister_runner(p_runner_id uuid) returns void
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  update retoma.runner set stopped_at = retoma.clock() where id = p_runner_id;
end;

comment on function retoma.unregister_runner(uuid) is 'The runner stops: leases that it has not released are taken back at once.';
