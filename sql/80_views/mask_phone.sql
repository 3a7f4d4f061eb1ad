-- Six digits are hidden at least, because fewer can be guessed by trying. So a short number shows less.
create or replace function retoma_internal.mask_phone(p_phone text) returns text
language sql immutable parallel safe
begin atomic
  select
    '+' || substr(p_phone, 2, greatest(least(length(p_phone) - 10, 2), 0))
    || repeat('*', greatest(least(length(p_phone) - 1, 6), length(p_phone) - 6))
    || right(p_phone, greatest(least(length(p_phone) - 7, 3), 0));
end;

comment on function retoma_internal.mask_phone(text) is
'A number with at least six digits hidden: of 11 digits and more, the first two and the last three are shown.';
