create or replace function retoma_internal.bad_phones(p_phones text[], out place bigint, out phone text)
returns setof record
language sql immutable parallel safe
begin atomic
  select u.place, u.phone from unnest(p_phones) with ordinality as u (phone, place)
  where retoma_internal.is_e164(u.phone) is not true
  order by u.place;
end;

comment on function retoma_internal.bad_phones(text[]) is
'Those of p_phones that are not E.164 numbers, with their places, from 1.';
