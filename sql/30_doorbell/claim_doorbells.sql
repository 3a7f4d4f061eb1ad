-- A runner that answers one ring also answers other waiting rings. When procrastinate fetched them one by one, with
-- three commits each, the rings of 5,000 channels took a minute. If a runner takes rings and dies, the next tick rings
-- again. Locks waiting jobs, and skips those that another transaction is fetching.
create or replace function retoma.claim_doorbells(p_limit int) returns setof int
language sql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
set enable_seqscan to off
begin atomic -- noqa: PRS
  with waiting as materialized (
    select j.id
    from procrastinate.procrastinate_jobs as j
    where j.status = 'todo' and j.task_name = 'retoma.drain_channel'
    order by j.priority desc, j.id asc
    limit retoma_internal.portion(p_limit)
    for update skip locked
  )

  delete from procrastinate.procrastinate_jobs as j
  using waiting as w
  where j.id = w.id
  returning (j.args ->> 'channel_id')::int;
end;

comment on function retoma.claim_doorbells(int) is
'For runners: takes up to p_limit waiting rings and returns the ids of their channels, which the caller must then
drain. Error RT003: p_limit is not from 1 to 10000.';
