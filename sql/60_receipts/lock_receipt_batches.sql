-- Locks the batches of the messages in the order of their ids, before anything touches deliveries.
create or replace function retoma_internal.lock_receipt_batches(
  p_receipts retoma_internal.receipt_inbox[], p_skip_locked boolean
) returns bigint[]
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_generic_plan
set enable_seqscan to off
set enable_hashjoin to off
set enable_mergejoin to off
set jit to off
as $$
declare
  v_ids bigint[] := array(
    select t.batch_id from retoma_internal.receipt_targets(p_receipts) as t
    union
    select t.last_batch_id from retoma_internal.receipt_targets(p_receipts) as t
  );
begin
  if p_skip_locked then
    return array(
      select b.id from retoma_internal.batch as b where b.id = any(v_ids) order by b.id for update skip locked
    );
  end if;
  return array(select b.id from retoma_internal.batch as b where b.id = any(v_ids) order by b.id for update);
end;
$$;

comment on function retoma_internal.lock_receipt_batches(retoma_internal.receipt_inbox[], boolean) is
'Locks the batches of the messages of these receipts. p_skip_locked: only those that no other transaction has locked.
Returns the ids of the batches that are locked now.';
