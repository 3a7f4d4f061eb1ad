-- A person has one number, and providers report it in an older or longer form: WhatsApp keeps the form in which an
-- account was opened. All forms of a number have one key here, and nowhere else is a form interpreted; phone_forms is
-- the way back. Called for each message that is reserved: a number of another country costs two short comparisons.
--
-- - Brazil: mobile numbers got a ninth digit, the 9 after the area code. Land lines begin with 2 to 5.
-- - Mexico: the 1 behind +52, of mobile numbers before 2019. Argentina: the 9 of mobile numbers behind +54, which is
--   not dialled from there. In both, land lines and mobile numbers share one range of numbers.
-- - Ivory Coast (2021): ten digits instead of eight; the two in front say which operator. Several operators can use the
--   same last eight digits, so strangers can share a key: rather one message too few than one after an opt-out.
-- - Benin (2024): 01 in front. Cameroon (2014): 6 in front of mobile numbers, 2 in front of land lines.
-- - Gabon (2019): 0X became 6X or 7X, by operator.
create or replace function retoma_internal.suppression_key(p_phone text) returns text
language sql immutable parallel safe
begin atomic
  select case substr(p_phone, 2, 2)
    when '55' then case
      when p_phone ~ '^\+55[1-9][0-9](9[0-9]{8}|[6-9][0-9]{7})$' then substr(p_phone, 2, 4) || '9' || right(p_phone, 8)
      else substr(p_phone, 2)
    end
    when '52' then case
      when p_phone ~ '^\+521?[2-9][0-9]{9}$' then '52' || right(p_phone, 10) else substr(p_phone, 2)
    end
    when '54' then case
      when p_phone ~ '^\+549?[1-8][0-9]{9}$' then '54' || right(p_phone, 10) else substr(p_phone, 2)
    end
    when '22' then case
      when p_phone ~ '^\+225([02][157])?[0-9]{8}$' then '225' || right(p_phone, 8)
      when p_phone ~ '^\+229(01)?[0-9]{8}$' then '229' || right(p_phone, 8)
      else substr(p_phone, 2)
    end
    when '23' then case
      when p_phone ~ '^\+237(6?[5-9]|2?[23])[0-9]{7}$' then '237' || right(p_phone, 8) else substr(p_phone, 2)
    end
    when '24' then case
      when p_phone ~ '^\+241(0?[24567]|6[256]|7[47])[0-9]{6}$' then '241' || right(p_phone, 7)
      else substr(p_phone, 2)
    end
    else substr(p_phone, 2)
  end;
end;

comment on function retoma_internal.suppression_key(text) is
'The key of an E.164 number on the suppression list, the same for all forms of the number.';
