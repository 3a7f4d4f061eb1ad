create or replace view retoma.v_tick_failure as
select
  f.part,
  case when f.recovered_at is null then 'failing' else 'recovered' end as state,
  f.since,
  f.at as last_at,
  f.times,
  coalesce(c.name, bc.name) as campaign,
  b.id as batch_id,
  f.sqlstate,
  f.cause,
  f.blocked_by,
  f.recovered_at,
  case f.sqlstate
    when '55P03' then 'Let that session end its transaction: commit, rollback, or select pg_terminate_backend(pid)'
    else 'Correct the rows that the cause names; the other parts of the tick go on'
  end as what_to_do
from retoma_internal.tick_failure as f
left join retoma_internal.batch as b on f.part in ('leases', 'defects') and f.subject_id = b.id
left join retoma_internal.campaign as bc on b.campaign_id = bc.id
left join retoma_internal.campaign as c on f.part in ('starts', 'campaigns') and f.subject_id = c.id;

comment on view retoma.v_tick_failure is
'One row per part of the tick that failed during the last hour: receipts, leases, defects, starts, campaigns, zones,
jobs, rings or contents; with the batch or campaign, when it failed for only one. cause: the error of PostgreSQL;
blocked_by: the session that it waited for.';
