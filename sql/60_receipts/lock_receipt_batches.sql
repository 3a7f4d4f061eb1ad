-- Locks the batches of the messages in the order of their ids, before anything touches deliveries. Leaves out those
-- that another transaction has locked: it may be left open.
create or replace function retoma_internal.lock_receipt_batches(
  p_receipts retoma_internal.receipt_inbox[]
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
    select distinct b.id
    from retoma_internal.receipt_targets(p_receipts) as t
    cross join lateral (values (t.batch_id), (t.last_batch_id)) as b (id)
  );
begin
  return array(
    select b.id from retoma_internal.batch as b where b.id = any(v_ids) order by b.id for update skip locked
  );
end;
$$;

comment on function retoma_internal.lock_receipt_batches(retoma_internal.receipt_inbox[]) is
'Locks the batches of the messages of these receipts that no other transaction has locked. Returns their ids.';
