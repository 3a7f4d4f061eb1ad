create or replace function retoma_internal.outcome_by_receipt(p_outcome text, p_receipt text) returns text
language sql immutable parallel safe
begin atomic
  select case
    when p_outcome = 'requeued' then 'requeued'
    when p_receipt = 'failed' then 'failed'
    when p_receipt = 'server' and p_outcome = 'failed' then 'failed'
    else 'sent'
  end;
end;

comment on function retoma_internal.outcome_by_receipt(text, text) is
'The new outcome of a delivery after a receipt that outranks its last one. A message that continues in a later batch is
settled there.';
