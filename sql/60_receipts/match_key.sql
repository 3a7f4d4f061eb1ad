-- Brazilian mobiles are known under nine digits and under the old eight; providers report either. They match on area code and the
-- last eight digits, under a prefix of their own so that they never meet a land line. Runs for every message that is reserved, and
-- without a regular expression takes a third of the time.
create or replace function retoma.match_key(p_phone text) returns text
language sql immutable parallel safe
begin atomic
  select case
    when p_phone like '+55%' and substr(p_phone, 4, 1) <> '0' and (
      (length(p_phone) = 14 and substr(p_phone, 6, 1) = '9')
      or (length(p_phone) = 13 and substr(p_phone, 6, 1) in ('6', '7', '8', '9'))
    ) then 'br' || substr(p_phone, 4, 2) || right(p_phone, 8)
    else substr(p_phone, 2)
  end;
end;

comment on function retoma.match_key(text) is 'The key under which an E.164 number is suppressed.';
