-- The safety net under the doorbell. A channel becomes ready when a retry is due, a window opens, a hold ends or a
-- lease is reaped. For any of these causes, a tick rings it. The search starts from the running campaigns, so idle
-- channels cost nothing.
create or replace function retoma_internal.ring_ready_channels() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_custom_plan
as $$
declare
  v_now timestamptz := retoma.clock();
  v_ids int[];
begin
  v_ids := array(
    with due as materialized (
      select z.campaign_id, z.zone
      from retoma_internal.zones_that_may_send(v_now) as z
      where exists (
        select from retoma_internal.batch as b
        where b.campaign_id = z.campaign_id and b.zone = z.zone and b.status = 'ready' and b.not_before <= v_now
          and b.defect is null
      )
    )
    select cc.channel_id
    from due as d
    inner join retoma_internal.campaign_channel as cc on d.campaign_id = cc.campaign_id and cc.fault is null
    inner join retoma_internal.channels_that_can_lease(v_now) as h (id) on cc.channel_id = h.id
    where exists (
      select from retoma_internal.batch as b
      where b.campaign_id = d.campaign_id and b.zone = d.zone and b.status = 'ready' and b.not_before <= v_now
        and b.defect is null and (b.channel_id is null or b.channel_id = cc.channel_id)
    )
    union
    select a.id
    from retoma_internal.channels_with_lookups_due() as a (id)
  );
  -- A job that is waiting now is enough: the runner that fetches it later sees everything that this tick sees.
  v_ids := array(
    select u.id from unnest(v_ids) as u (id)
    where not exists (
      select from procrastinate.procrastinate_jobs as j where j.status = 'todo' and j.queueing_lock = 'retoma:' || u.id
    )
  );
  if v_ids <> '{}' then
    perform retoma.ring(v_ids);
  end if;
  return cardinality(v_ids);
end;
$$;

comment on function retoma_internal.ring_ready_channels() is
'Rings the channels that can lease a batch now, or have lookups due. Returns how many it rang.';
