-- Reasons, codes and ids come from people and providers, and can name a number in any way of writing, such as
-- "+55 (11) 95550-1203" or "5511955501203@c.us". Seven digits or more, with only blanks and signs between them, count
-- as a number, unless they are a date or an IPv4 address.
create or replace function retoma_internal.mask_numbers(p_text text) returns text
language sql immutable parallel safe
begin atomic
  select regexp_replace(
    p_text,
    '(?<!\d|\d\.|(19|20)\d\d-|(19|20)\d\d-[01]\d-)'
    || '(?!(19|20)\d\d-[01]\d-[0-3]\d(?!\d)|((1?\d?\d|2[0-4]\d|25[0-5])\.){3}\d{1,3}(?![.\d]))'
    || '\+?(\d[ ().\u00a0\u2010-\u2015/-]{0,3}){6,}\d',
    '***', 'g'
  );
end;

comment on function retoma_internal.mask_numbers(text) is 'A text with every phone number in it replaced by ***.';
