-- A view cannot ask for a row lock, but the row itself tells: its xmax is the transaction that has locked or changed
-- it, and has not ended. No foreign key refers to channel_pacing, so only a session that keeps it from every step is
-- seen there. The rows are read only while a transaction is open that holds a lock on their table.
--
-- Whose transaction it is, pg_locks often cannot say: a subtransaction that is over shows no lock any more. So the
-- oldest session with a lock on the table is named, and "most likely" when there are several.
--
-- Recorded by runners instead: a step or a lease that gives up is rolled back, and with it all that it could record.
create or replace function retoma_internal.campaign_locks(out campaign_id int, out reason text) returns setof record
language sql volatile security definer rows 10
set search_path to pg_catalog, pg_temp
set jit to off
begin atomic
  with holders as materialized (
    select distinct on (t.name)
      t.name as table_name,
      case when count(*) over (partition by t.name) > 1 then 'most likely ' else '' end
      || 'by ' || retoma_internal.session_in_words(h.pid, h.role, h.application, h.state, h.since) as holder
    from retoma_internal.open_transactions() as h
    cross join lateral unnest(h.tables) as t (name)
    where t.name in ('channel_pacing', 'batch') and coalesce(h.since < clock_timestamp() - interval '3 s', true)
    order by t.name, h.since nulls last, h.pid
  ),

  locked as materialized (
    select h.id, h.name, o.holder
    from holders as o
    inner join retoma_internal.channel_pacing as p on retoma_internal.is_in_progress(p.xmax)
    inner join retoma_internal.channel as h on p.channel_id = h.id
    where o.table_name = 'channel_pacing'
  )

  select
    c.id,
    format('channel %s is locked %s', min(l.name), min(l.holder))
    || case when count(l.id) < count(*) then '; its other channels go on' else '' end
  from retoma_internal.campaign as c
  inner join retoma_internal.campaign_channel as cc on c.id = cc.campaign_id
  inner join retoma_internal.channel as h on cc.channel_id = h.id
  left join locked as l on cc.channel_id = l.id
  where c.status = 'running' and exists (select from locked) and h.connected and not h.paused and cc.fault is null
  group by c.id
  having count(l.id) > 0
  union all
  select c.id, format('its batches are locked %s', min(o.holder))
  from holders as o
  cross join retoma_internal.campaign as c
  inner join retoma_internal.batch as b on c.id = b.campaign_id
  where o.table_name = 'batch' and c.status = 'running' and b.status in ('ready', 'leased')
  group by c.id
  having bool_and(retoma_internal.is_in_progress(b.xmax));
end;

comment on function retoma_internal.campaign_locks() is
'Running campaigns that wait for a session that has been in a transaction for more than 3 seconds: it keeps a channel of
the campaign locked, or all of its open batches. reason: in words.';
