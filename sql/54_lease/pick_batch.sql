-- Due retries come before new batches. The materialized query keeps the limit inside the lock: with a plain subquery
-- the planner may lock rows that it does not return.
create or replace function retoma_internal.pick_batch(p_channel_id int, p_now timestamptz) returns bigint
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_zone record;
  v_id bigint;
begin
  for v_zone in select o.campaign_id, o.zone from retoma_internal.open_zones(p_channel_id, p_now) as o loop
    with picked as materialized (
      select b.id
      from retoma_internal.batch as b
      where b.campaign_id = v_zone.campaign_id and b.zone = v_zone.zone and b.status = 'ready' and b.not_before <= p_now
        and (b.channel_id is null or b.channel_id = p_channel_id) and b.defect is null
      order by b.not_before desc, b.id
      limit 1
      for update skip locked
    )
    select p.id into v_id from picked as p;
    exit when v_id is not null;
  end loop;
  return v_id;
end;
$$;

comment on function retoma_internal.pick_batch(int, timestamptz) is
'The id of the next batch for a channel, locked; null when there is none.';
