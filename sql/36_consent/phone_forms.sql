-- Tries what may stand between the country code (with the area code, if p_area is its length) and the last digits, and
-- keeps what has the same key. So suppression_key alone decides.
create or replace function retoma_internal.phone_forms(p_phone text) returns text[]
language sql immutable parallel safe
begin atomic
  select array_agg(distinct f.phone)
  from (
    select p_phone as phone
    union all
    select '+' || c.code || substr(p_phone, length(c.code) + 2, c.area) || i.infix || right(p_phone, c.digits)
    from (
      values
      ('55', 2, 8, array['', '9']),
      ('52', 0, 10, array['', '1']),
      ('54', 0, 10, array['', '9']),
      ('225', 0, 8, array['', '01', '05', '07', '21', '25', '27']),
      ('229', 0, 8, array['', '01']),
      ('237', 0, 8, array['', '2', '6']),
      ('241', 0, 7, array['', '0', '6', '7'])
    ) as c (code, area, digits, infixes)
    cross join lateral unnest(c.infixes) as i (infix)
    where p_phone like '+' || c.code || '%'
  ) as f
  where retoma_internal.suppression_key(f.phone) = retoma_internal.suppression_key(p_phone);
end;

comment on function retoma_internal.phone_forms(text) is
'All forms in which the number of this person can be written, p_phone among them.';
