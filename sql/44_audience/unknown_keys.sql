create or replace function retoma_internal.unknown_keys(p_recipient jsonb, p_known text[]) returns text
language sql immutable parallel safe
begin atomic
  select format('unknown key %s: put variables into "variables"', left(string_agg(k.key, ', ' order by k.key), 200))
  from jsonb_object_keys(case when jsonb_typeof(p_recipient) = 'object' then p_recipient else '{}' end) as k (key)
  where k.key <> all(p_known)
  having count(*) > 0;
end;

comment on function retoma_internal.unknown_keys(jsonb, text[]) is
'Why a recipient with other keys than p_known is refused, in words; null when it has none.';
