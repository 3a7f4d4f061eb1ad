-- Brazilian mobiles are known under nine digits and under the old eight; providers report either. They match on area code and the
-- last eight digits, under a prefix of their own so that they never meet a land line.
create or replace function retoma_internal.suppression_key(p_phone text) returns text
language sql immutable parallel safe
begin atomic
  select case
    when p_phone ~ '^\+55[1-9][0-9](9[0-9]{8}|[6-9][0-9]{7})$' then 'br' || substr(p_phone, 4, 2) || right(p_phone, 8)
    else substr(p_phone, 2)
  end;
end;

comment on function retoma_internal.suppression_key(text) is 'The key under which an E.164 number is suppressed.';
