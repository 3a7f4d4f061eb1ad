-- The doorbell (decision 0004): one waiting job per channel, even when it is rung many times. "do nothing" would lose a
-- ring when a runner fetches the waiting job before this transaction commits. The empty update waits for the fetch and
-- then inserts.
--
-- Never waits for a transaction that is ringing the same channel, or a channel of the same stripe, and has not
-- committed. If it waited, two transactions that ring several channels at different moments could deadlock, and a psql
-- session that is left open in a transaction would stop every tick. The next tick rings the channels that are skipped
-- here. Stripes limit the number of rows that a transaction locks when it rings thousands of channels.
create or replace function retoma.ring(p_channel_ids int[]) returns void
language sql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
begin atomic -- noqa: PRS
  with rung as materialized (
    select distinct u.c from unnest(p_channel_ids) as u (c)
  ),

  turn as materialized (
    select t.number from retoma_internal.turn as t
    where t.work = 'ring' and t.number = any(array(select r.c % 256 from rung as r))
    for no key update skip locked
  )

  insert into procrastinate.procrastinate_jobs (queue_name, task_name, queueing_lock, args)
  select 'retoma', 'retoma.drain_channel', 'retoma:' || r.c, jsonb_build_object('channel_id', r.c)
  from rung as r
  inner join turn as t on r.c % 256 = t.number
  order by r.c
  on conflict (queueing_lock) where status = 'todo'
  do update set queueing_lock = excluded.queueing_lock;
end;

comment on function retoma.ring(int[]) is
'For runners: wakes a waiting runner for each of these channels (ids) when this transaction commits; null wakes none. A
channel that another transaction is ringing is skipped, and its runner wakes within a tick.';
