-- Two runners never ask for the same at the same time: who writes the row first has the turn. When that runner dies,
-- another one has a turn 5 minutes later. A row that another transaction has locked is passed over: a session that was
-- left open must not keep the other channels waiting. The materialized query keeps the limit inside the lock.
create or replace function retoma.readings_due(
  p_about text,
  out channel_id int, out channel text, out transport text, out settings jsonb, out asked_at timestamptz
) returns setof record
language sql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
begin atomic
  with asked as (
    select c.id, c.name, c.transport, c.settings, hashtextextended(c.settings::text, 0) as settings_hash
    from retoma_internal.channel as c
    inner join retoma.transport_reading as t on c.transport = t.transport
    where t.about = p_about
  ),

  free as materialized (
    select r.channel_id, r.next_at
    from retoma_internal.reading as r
    inner join asked as c on r.channel_id = c.id
    where r.about = p_about and (r.next_at <= retoma.clock() or r.settings_hash <> c.settings_hash)
    order by r.next_at, r.channel_id
    limit 1
    for no key update of r skip locked
  ),

  due as (
    select c.id, c.name, c.transport, c.settings, c.settings_hash
    from asked as c
    left join free as f on c.id = f.channel_id
    where f.channel_id is not null or not exists (
      select from retoma_internal.reading as r where r.channel_id = c.id and r.about = p_about
    )
    order by f.next_at nulls first, c.id
    limit 1
  ),

  taken as (
    insert into retoma_internal.reading as r (channel_id, about, settings_hash, asked_at, next_at)
    select d.id, p_about, d.settings_hash, retoma.clock(), retoma.clock() + interval '5 minutes' from due as d
    on conflict (channel_id, about) do update
    set
      known = r.known and r.settings_hash = excluded.settings_hash, settings_hash = excluded.settings_hash,
      asked_at = excluded.asked_at, next_at = excluded.next_at,
      changes = r.changes + (r.settings_hash <> excluded.settings_hash)::int
    where r.next_at <= retoma.clock() or r.settings_hash <> excluded.settings_hash
    returning r.channel_id, r.asked_at
  )

  select d.id, d.name, d.transport, d.settings, t.asked_at
  from taken as t
  inner join due as d on t.channel_id = d.id;
end;

comment on function retoma.readings_due(text) is
'For runners: a channel whose provider has to be asked for something now, with what a transport needs for it; no row
when there is none. p_about: account or templates, as in transport_reading. Answer with record_account or
record_templates, with the same asked_at.';
