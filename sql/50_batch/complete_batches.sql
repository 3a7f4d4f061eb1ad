-- For batches whose lease was ended from outside. Locks their campaigns in the order of their ids. Without this, the
-- trigger of each batch would lock them in the order of the batches.
create or replace function retoma_internal.complete_batches(p_ids bigint[]) returns void
language sql volatile
begin atomic
  select from retoma_internal.campaign as c
  where c.id in (
    select b.campaign_id from retoma_internal.batch as b
    where b.id = any(p_ids) and b.status = 'ready' and b.reserved = b.size
  )
  order by c.id
  for no key update;
  update retoma_internal.batch as b
  set status = 'completed', lease_epoch = b.lease_epoch + 1, completed_at = retoma.clock()
  where b.id = any(p_ids) and b.status = 'ready' and b.reserved = b.size;
end;

comment on function retoma_internal.complete_batches(bigint[]) is
'Completes those of these batches that are ready and whose messages are all settled.';
