-- All functions that take a jsonb patch share these rules: a key that is not named stays as it is, null removes a
-- value, and an unknown key is refused, because it is most likely a typing error.
create or replace function retoma_internal.check_patch(p_what text, p_patch jsonb, p_known text[]) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_unknown text;
begin
  if jsonb_typeof(p_patch) is distinct from 'object' then
    raise exception using errcode = 'RT003', constraint = 'not_an_object',
      message = format('%s are a JSON object, not %s', p_what, coalesce(jsonb_typeof(p_patch), 'null')),
      hint = 'They can have: ' || array_to_string(p_known, ', ');
  end if;
  v_unknown := retoma_internal.listed(
    array(select k.key from jsonb_object_keys(p_patch) as k (key) where k.key <> all(p_known) order by k.key)
  );
  if v_unknown is not null then
    raise exception using errcode = 'RT003', constraint = 'unknown_key',
      message = format('%s have no key %s', p_what, left(v_unknown, 200)),
      hint = 'They can have: ' || array_to_string(p_known, ', ');
  end if;
end;
$$;

comment on function retoma_internal.check_patch(text, jsonb, text[]) is
'Error RT003 when p_patch is not a JSON object, or has a key that is not in p_known. p_what: plural name of the patched
values, for the message.';
