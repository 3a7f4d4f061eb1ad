create or replace function retoma_internal.patch_int(p_patch jsonb, p_key text, p_min int, p_max int) returns int
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_value numeric := retoma_internal.patch_number(p_patch, p_key, p_min, p_max);
begin
  if v_value <> trunc(v_value) then
    raise exception using errcode = 'RT003', constraint = 'not_a_whole_number',
      message = format('%s is a whole number, not %s', p_key, v_value),
      hint = format('Give a whole number from %s to %s, or null to remove it', p_min, p_max);
  end if;
  return v_value::int;
end;
$$;

comment on function retoma_internal.patch_int(jsonb, text, int, int) is
'The whole number under p_key of a patch, from p_min to p_max; null when it is null or not named.
Error RT003 when it is anything else.';
