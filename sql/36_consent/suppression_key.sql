-- A person has one number, and providers report it in an older or longer form: WhatsApp keeps the form in which an
-- account was opened. All forms of a number have one key here, and nowhere else is a form interpreted; phone_forms is
-- the way back. Called for each message that is reserved: a number of another country costs two short comparisons.
--
-- - Brazil: mobile numbers got a ninth digit, the 9 after the area code. Land lines begin with 2 to 5.
-- - Mexico: the 1 behind +52, of mobile numbers before 2019. Argentina: the 9 of mobile numbers behind +54, which is
--   not dialled from there. In both, land lines and mobile numbers share one range of numbers.
-- - Ivory Coast (2021): the two digits of the operator were put in front of the eight. Of an old mobile number, the
--   second digit says which: 01 (Moov), 05 (MTN) or 07 (Orange). Of land lines, only those of Orange (27) are known.
--   What follows the operator in a number of today says nothing: 07 01 … is not the old 01 …, which is 01 01 … The
--   prefixes are those that libphonenumber listed before 2021.
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
      when p_phone ~ '^\+225(0[1-9]|[457][0-9]|6[4-8]|8[4-9]|9[4-8])[0-9]{6}$' then '2250'
        || case when substr(p_phone, 6, 1) < '4' then '1' when substr(p_phone, 6, 1) < '7' then '5' else '7' end
        || right(p_phone, 8)
      when p_phone ~ '^\+225(2(0[23]|1[2357]|2[245]|3[45]|4[3-5])|3(06|1[69]|[2-6]7))[0-9]{5}$'
        then '22527' || right(p_phone, 8)
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
