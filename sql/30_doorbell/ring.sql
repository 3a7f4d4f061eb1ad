-- The doorbell (decision 0004): one waiting job per channel, however often it is rung. "do nothing" would lose a ring
-- when the waiting job is fetched before this transaction commits; the empty update waits for the fetch and then
-- inserts.
--
-- Never waits for another transaction that is ringing the same channel (or one of the same stripe) and has not
-- committed. Otherwise two transactions that ring several channels at different moments would deadlock, and a psql
-- session left open in a transaction would stop every tick. The next tick rings the channels that are passed over here.
-- Stripes limit the number of advisory locks of a transaction that rings thousands of channels.
create or replace function retoma.ring(p_channel_ids int[]) returns void
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  insert into procrastinate.procrastinate_jobs (queue_name, task_name, queueing_lock, args)
  select 'retoma', 'retoma.drain_channel', 'retoma:' || c, jsonb_build_object('channel_id', c)
  from (select distinct u.c from unnest(p_channel_ids) as u (c) order by u.c) as rung
  where pg_try_advisory_xact_lock(retoma_internal.ring_lock_class(), c % 256)
  on conflict (queueing_lock) where status = 'todo'
  do update set queueing_lock = excluded.queueing_lock;
end;

comment on function retoma.ring(int[]) is
'Wakes a waiting runner for each of these channels when this transaction commits. If another transaction is ringing a
channel, its runner wakes within a tick.';
