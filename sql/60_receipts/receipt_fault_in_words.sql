create or replace function retoma_internal.receipt_fault_in_words(p_fault text) returns text
language sql immutable
begin atomic
  select case p_fault
    when 'not_an_object' then 'a receipt is a JSON object'
    when 'bad_status' then 'its status is not server, delivered, read, played or failed'
    when 'no_id' then 'it has neither message_id nor provider_id'
    when 'not_ours' then 'no message of this channel has its id'
    when 'bad_provider_id' then 'its provider_id does not have 1 to 200 characters'
    when 'bad_time' then 'its "at" is not a time like 2026-01-01T12:00:00Z'
    when 'too_many_wait' then 'too many receipts of this channel wait for the outcomes of their messages'
  end;
end;

comment on function retoma_internal.receipt_fault_in_words(text) is
'A key of receipt_fault or record_receipts, in words. Null for null.';
