create or replace function retoma_internal.mask_numbers(p_text text) returns text
language sql immutable parallel safe
begin atomic
  select regexp_replace(left(p_text, 300), '\d{5,}(?=\d{2})', '***', 'g');
end;

comment on function retoma_internal.mask_numbers(text) is
'The first 300 characters of a text, with only the last two digits of each long number: an error can name a phone.';
