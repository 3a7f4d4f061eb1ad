-- Brazilian mobile numbers have nine digits; before, they had eight. Providers report either form. Both match on the
-- area code and the last eight digits, under a separate prefix, so that they never match a land line.
create or replace function retoma_internal.suppression_key(p_phone text) returns text
language sql immutable parallel safe
begin atomic
  select case
    when p_phone ~ '^\+55[1-9][0-9](9[0-9]{8}|[6-9][0-9]{7})$' then 'br' || substr(p_phone, 4, 2) || right(p_phone, 8)
    else substr(p_phone, 2)
  end;
end;

comment on function retoma_internal.suppression_key(text) is 'The key of an E.164 number on the suppression list.';
