-- Without windows, a batch is a range of ordinals. With windows, all messages of a batch have the same zone, and the
-- batch is a list. So a window holds back a whole batch, never a message inside it. The caller holds the lock of the
-- campaign.
create or replace function retoma_internal.cut_batches(p_campaign retoma_internal.campaign) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_not_before timestamptz := (
    case when p_campaign.resolves_addresses then 'infinity' else '-infinity' end
  )::timestamptz;
begin
  if not retoma_internal.has_windows(p_campaign.id) then
    insert into retoma_internal.campaign_zone (campaign_id, zone) values (p_campaign.id, '');
    insert into retoma_internal.batch (campaign_id, first_ordinal, size, not_before)
    select p_campaign.id, f, least(p_campaign.batch_size, p_campaign.total - f + 1), v_not_before
    from generate_series(1, p_campaign.total, p_campaign.batch_size) as f
    order by f;
    return;
  end if;
  insert into retoma_internal.campaign_zone (campaign_id, zone)
  select distinct p_campaign.id, coalesce(m.zone, p_campaign.time_zone)
  from retoma_internal.message as m where m.campaign_id = p_campaign.id;
  perform retoma_internal.queue_list(p_campaign.id, z.zone, 1::smallint, 0::smallint, z.ordinals, v_not_before)
  from (
    select coalesce(m.zone, p_campaign.time_zone) as zone, array_agg(m.ordinal order by m.ordinal) as ordinals
    from retoma_internal.message as m
    where m.campaign_id = p_campaign.id
    group by 1
  ) as z;
end;
$$;

comment on function retoma_internal.cut_batches(retoma_internal.campaign) is
'Cuts the audience of a starting campaign into batches.';
