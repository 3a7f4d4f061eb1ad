create or replace function retoma_internal.receipt_fault(p_receipt jsonb) returns text
language sql stable
begin atomic
  select case
    when jsonb_typeof(p_receipt) <> 'object' then 'not_an_object'
    when coalesce(p_receipt ->> 'status', '') not in ('server', 'delivered', 'read', 'played', 'failed')
      then 'bad_status'
    when coalesce(p_receipt ->> 'message_id', p_receipt ->> 'provider_id') is null then 'no_id'
    when lower(p_receipt ->> 'message_id') !~ '^[0-9a-f]{32}$' then 'not_ours'
    when length(p_receipt ->> 'provider_id') not between 1 and 200 then 'bad_provider_id'
    when p_receipt ->> 'at' is not null and retoma_internal.receipt_time(p_receipt ->> 'at') is null then 'bad_time'
  end;
end;

comment on function retoma_internal.receipt_fault(jsonb) is
'Why this receipt cannot be taken, as a key; null when it can.';
