-- The defect is a message from the end of the lease, which may not lock a campaign, to this function. Locks the
-- batches, then their campaigns, each in the order of the ids, and skips those that another transaction is changing.
create or replace function retoma_internal.interrupt_for_defects(p_ids bigint[]) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids bigint[] := array(
    select b.id from retoma_internal.batch as b
    where b.defect is not null and (p_ids is null or b.id = any(p_ids))
    order by b.id
    for no key update skip locked
  );
  v_campaign_ids int[];
begin
  if v_ids = '{}' then
    return 0;
  end if;
  v_campaign_ids := array(
    select c.id from retoma_internal.campaign as c
    where c.id in (select b.campaign_id from retoma_internal.batch as b where b.id = any(v_ids))
    order by c.id
    for no key update skip locked
  );
  update retoma_internal.campaign as c
  set status = 'interrupted', interrupt_cause = 'defect', status_reason = d.reason
  from (
    select b.campaign_id, min(format('batch %s: %s', b.id, b.defect)) as reason
    from retoma_internal.batch as b where b.id = any(v_ids)
    group by b.campaign_id
  ) as d
  where c.id = d.campaign_id and c.id = any(v_campaign_ids) and c.status = 'running';
  update retoma_internal.batch as b set defect = null
  where b.id = any(v_ids) and b.campaign_id = any(v_campaign_ids);
  return cardinality(v_campaign_ids);
end;
$$;

comment on function retoma_internal.interrupt_for_defects(bigint[]) is
'Interrupts the running campaigns of batches that cannot go on, with the reason. p_ids: only of these batches; null: of
all. Returns how many campaigns.';
