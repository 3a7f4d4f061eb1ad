create or replace view retoma.v_runner as
select
  r.id as runner_id,
  r.name as runner,
  case
    when r.id = any(array(select l from retoma_internal.live_runners() as l)) then 'alive'
    when r.stopped_at is not null then 'stopped'
    else 'gone'
  end as state,
  r.registered_at,
  r.last_seen_at,
  coalesce(b.leases, 0) as leases,
  array(
    select h.name || ': ' || f.reason
    from retoma_internal.channel_refusal as f
    inner join retoma_internal.channel as h on f.channel_id = h.id
    where f.runner_id = r.id
    order by h.name
  ) as refuses
from retoma_internal.runner as r
left join (
  select bb.runner_id, count(*) as leases from retoma_internal.batch as bb where bb.status = 'leased'
  group by bb.runner_id
) as b on r.id = b.runner_id;

comment on view retoma.v_runner is
'One row per runner: alive, stopped (it gave its leases back) or gone (killed, or its connection was lost), how many
leases it holds, and which channels it leaves to others because it cannot use their settings.';
