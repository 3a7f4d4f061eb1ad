-- procrastinate never ends a job whose worker was killed, and it removes a stalled worker only when another one starts.
-- A doorbell job holds no data (the batch does), so it is deleted. The next ring makes a new one.
create or replace function retoma_internal.sweep_jobs() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_count int;
begin
  delete from procrastinate.procrastinate_workers as w where w.last_heartbeat < now() - interval '60 s';
  delete from procrastinate.procrastinate_jobs as j
  where j.status = 'doing' and j.worker_id is null and j.task_name = 'retoma.drain_channel';
  get diagnostics v_count = row_count;
  return v_count;
end;
$$;

comment on function retoma_internal.sweep_jobs() is
'Removes procrastinate workers without a heartbeat for 60 seconds, and doorbell jobs whose worker is gone. Returns
how many jobs.';
