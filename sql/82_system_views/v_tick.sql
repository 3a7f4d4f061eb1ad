create or replace view retoma.v_tick as
select
  t.last_tick_at,
  case
    when l.runners = 0 then 'no_runner'
    when t.last_tick_at > n.at - interval '10 s' and f.failing > 0 then 'failing'
    when t.last_tick_at > n.at - interval '10 s' then 'ok'
    else 'late'
  end as state,
  case
    when l.runners = 0 then 'no runner is alive, so no runner repairs or wakes anything'
    when t.last_tick_at > n.at - interval '10 s' and f.failing > 0 then f.reason
    when t.last_tick_at > n.at - interval '10 s' then null
    else concat_ws(
      '; ', format('the last tick was %s', coalesce('at ' || t.last_tick_at, 'never')),
      'the oldest transaction on the tables of Retoma: ' || retoma_internal.oldest_transaction()
    )
  end as reason,
  case
    when l.runners = 0 then 'Start a runner: retoma runner'
    when t.last_tick_at > n.at - interval '10 s' and f.failing > 0 then 'select * from retoma.v_tick_failure'
    when t.last_tick_at > n.at - interval '10 s' then null
    else 'select * from retoma.v_open_transaction order by since; and read the log of a runner'
  end as what_to_do,
  l.runners as runners_alive,
  f.failing as parts_failing
from (select retoma.clock() as at) as n
cross join (select max(r.ticked_at) as last_tick_at from retoma_internal.runner as r) as t
cross join (select count(*) as runners from retoma_internal.live_runners()) as l
cross join (
  select
    count(distinct tf.part) as failing,
    string_agg(distinct format('%s: %s', tf.part, tf.cause), '; ') as reason
  from retoma_internal.tick_failure as tf
  where tf.recovered_at is null
) as f;

comment on view retoma.v_tick is
'One row, for an alarm on state <> ''ok'': when the last tick began, which repairs, reaps, starts and rings twice a
second. ok; failing: some parts fail, the others go on (v_tick_failure); late: more than 10 seconds ago, although
runners are alive; no_runner.';
