-- The doorbell (decision 0004): one waiting job a channel, however often it is rung. "do nothing" would lose a ring when
-- the waiting job is fetched before we commit; the empty update waits for the fetch and then inserts.
-- Never waits for somebody else who is ringing the same channel (or one of its stripe) and has not committed yet: two transactions that
-- ring several channels at different moments would deadlock, and a psql session left open in a transaction would stop every tick.
-- What is passed over here is rung by the next tick. Stripes bound the number of advisory locks of a transaction that rings thousands.
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
'Wakes a waiting runner for each of these channels when this transaction commits, or within a tick if another transaction is ringing it.';
