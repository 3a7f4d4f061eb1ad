-- JSON has no NaN and no infinity. The bounds refuse a number that does not fit its column.
create or replace function retoma_internal.patch_number(
  p_patch jsonb, p_key text, p_min numeric, p_max numeric
) returns numeric
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_value numeric;
begin
  if coalesce(jsonb_typeof(p_patch -> p_key), 'null') not in ('number', 'null') then
    raise exception using errcode = 'RT003', constraint = 'not_a_number',
      message = format('%s is a number, not %s', p_key, p_patch -> p_key),
      hint = format('Write a number from %s to %s without quotes, or null to remove it', p_min, p_max);
  end if;
  v_value := (p_patch ->> p_key)::numeric;
  if v_value < p_min or v_value > p_max then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('%s cannot be %s', p_key, v_value),
      hint = format('Give a number from %s to %s, or null to remove it', p_min, p_max);
  end if;
  return v_value;
end;
$$;

comment on function retoma_internal.patch_number(jsonb, text, numeric, numeric) is
'The number under p_key of a patch, from p_min to p_max; null when it is null or not named.
Error RT003 when it is anything else.';
