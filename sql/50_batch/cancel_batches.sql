-- The caller holds the lock of the campaign. Locks batches, and skips those that another transaction is changing: tick
-- calls this again until nothing is left. A batch can become ready after the campaign was cancelled: by a step that
-- read the campaign before, or when a message under way ends in an error.
create or replace function retoma_internal.cancel_batches(p_campaign_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch;
begin
  for v_batch in
    select b.* from retoma_internal.batch as b
    where b.campaign_id = p_campaign_id and b.status in ('ready', 'cancelled') and b.maybe_sent and b.reserved < b.size
    order by b.id
    for update skip locked
  loop
    perform retoma_internal.settle_undecided(v_batch);
  end loop;
  update retoma_internal.batch as b
  set status = 'cancelled', lease_epoch = b.lease_epoch + 1
  from (
    select r.id from retoma_internal.batch as r
    where r.campaign_id = p_campaign_id and r.status = 'ready' and not (r.maybe_sent and r.reserved < r.size)
    order by r.id
    for update skip locked
  ) as locked
  where b.id = locked.id;
  update retoma_internal.campaign as c
  set cancelling = false
  where c.id = p_campaign_id and not exists (
    select from retoma_internal.batch as b
    where b.campaign_id = p_campaign_id
      and (b.status in ('ready', 'leased') or b.maybe_sent and b.reserved < b.size)
  );
end;
$$;

comment on function retoma_internal.cancel_batches(int) is
'Cancels the ready batches of a cancelled campaign, and records which of their messages are in doubt. Sets
campaign.cancelling to false when no batch is left that can change.';
