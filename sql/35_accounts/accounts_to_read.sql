-- As templates_to_read: who writes the row first has the turn, for 5 minutes at most, and a row that another
-- transaction has locked is passed over.
create or replace function retoma.accounts_to_read(
  out channel_id int, out channel text, out transport text, out settings jsonb, out asked_at timestamptz
) returns setof record
language sql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
begin atomic
  with free as materialized (
    select r.channel_id, r.next_at
    from retoma_internal.account_reading as r
    inner join retoma_internal.channel as c on r.channel_id = c.id
    inner join retoma.transport as t on c.transport = t.name and t.reads_account_every is not null
    where r.next_at <= retoma.clock() or r.settings_hash <> hashtextextended(c.settings::text, 0)
    order by r.next_at, r.channel_id
    limit 1
    for no key update of r skip locked
  ),

  due as (
    select c.id, c.name, c.transport, c.settings, hashtextextended(c.settings::text, 0) as settings_hash
    from retoma_internal.channel as c
    inner join retoma.transport as t on c.transport = t.name and t.reads_account_every is not null
    left join free as f on c.id = f.channel_id
    where f.channel_id is not null
      or not exists (select from retoma_internal.account_reading as r where r.channel_id = c.id)
    order by f.next_at nulls first, c.id
    limit 1
  ),

  taken as (
    insert into retoma_internal.account_reading as r (channel_id, settings_hash, asked_at, next_at)
    select d.id, d.settings_hash, retoma.clock(), retoma.clock() + interval '5 minutes' from due as d
    on conflict (channel_id) do update
    set
      settings_hash = excluded.settings_hash, asked_at = excluded.asked_at, next_at = excluded.next_at,
      connected = case when r.settings_hash = excluded.settings_hash then r.connected end
    where r.next_at <= retoma.clock() or r.settings_hash <> excluded.settings_hash
    returning r.channel_id, r.asked_at
  )

  select d.id, d.name, d.transport, d.settings, t.asked_at
  from taken as t
  inner join due as d on t.channel_id = d.id;
end;

comment on function retoma.accounts_to_read() is
'For runners: a channel whose provider has to be asked about its account now, with what a transport needs for it; no row
when there is none. Answer with record_account, with the same asked_at.';
