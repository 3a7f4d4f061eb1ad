-- The only form for runners: a runner cannot choose a shorter retention.
create or replace function retoma.cleanup(
  out campaigns int, out partitions int, out events bigint, out replies bigint, out runners int
)
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select c.campaigns, c.partitions, c.events, c.replies, c.runners
  from retoma.setting as s cross join lateral retoma.cleanup(s.retention) as c;
end;

comment on function retoma.cleanup() is
'Does cleanup(setting.retention). Runners call it every hour.';
