create or replace function retoma_internal.refused_receipt(p_place bigint, p_fault text) returns jsonb
language sql immutable
begin atomic
  select jsonb_build_object(
    'item', p_place, 'key', p_fault, 'reason', retoma_internal.receipt_fault_in_words(p_fault)
  );
end;

comment on function retoma_internal.refused_receipt(bigint, text) is
'What record_receipts says about a receipt that it refuses.';
