create or replace function retoma_internal.mask_phone(p_phone text) returns text
language sql immutable parallel safe
begin atomic
  select left(p_phone, 3) || repeat('*', greatest(length(p_phone) - 6, 0)) || right(p_phone, 3);
end;

comment on function retoma_internal.mask_phone(text) is
'A number with all digits hidden but the first two and the last three.';
