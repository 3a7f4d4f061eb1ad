-- A zone is checked when it is given. It becomes unknown when the database moves to a server with other zones. Locks
-- the campaigns in the order of their ids, and skips those that another transaction is changing.
create or replace function retoma_internal.interrupt_for_zones() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_unknown text[] := array(
    select distinct n.name
    from (
      select distinct z.zone
      from retoma_internal.campaign as c
      inner join retoma_internal.campaign_zone as z on c.id = z.campaign_id
      where c.status = 'running' and z.zone <> ''
    ) as u
    cross join lateral unnest(string_to_array(u.zone, ',')) as n (name)
    where n.name <> all(retoma_internal.time_zone_names())
  );
  v_ids int[];
begin
  if v_unknown = '{}' then
    return 0;
  end if;
  v_ids := array(
    select c.id from retoma_internal.campaign as c
    where c.status = 'running' and exists (
      select from retoma_internal.campaign_zone as z
      where z.campaign_id = c.id and string_to_array(z.zone, ',') && v_unknown
    )
    order by c.id
    for no key update skip locked
  );
  update retoma_internal.campaign as c
  set
    status = 'interrupted', interrupt_cause = 'defect',
    status_reason = 'this server does not know the time zone ' || (
      select string_agg(distinct n.name, ', ')
      from retoma_internal.campaign_zone as z
      cross join lateral unnest(string_to_array(z.zone, ',')) as n (name)
      where z.campaign_id = c.id and n.name = any(v_unknown)
    )
  where c.id = any(v_ids);
  return cardinality(v_ids);
end;
$$;

comment on function retoma_internal.interrupt_for_zones() is
'Interrupts the running campaigns that have recipients in time zones which this server does not know. Returns how
many.';
