-- A failure that is reported late does not disprove a delivery that was reported.
create or replace function retoma_internal.receipt_rank(p_status text) returns int
language sql immutable parallel safe
begin atomic
  select case p_status when 'read' then 4 when 'delivered' then 3 when 'failed' then 2 when 'server' then 1 else 0 end;
end;

comment on function retoma_internal.receipt_rank(text) is
'Rank of a receipt: it replaces one of a lower rank. 0 for null.';
