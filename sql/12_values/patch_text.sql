create or replace function retoma_internal.patch_text(p_patch jsonb, p_key text) returns text
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if coalesce(jsonb_typeof(p_patch -> p_key), 'null') not in ('string', 'null') then
    raise exception using errcode = 'RT003', constraint = 'not_a_text',
      message = format('%s is a text, not %s', p_key, p_patch -> p_key),
      hint = 'Write it in double quotes, or null to remove it';
  end if;
  return p_patch ->> p_key;
end;
$$;

comment on function retoma_internal.patch_text(jsonb, text) is
'The text under p_key of a patch; null when it is null or not named. Error RT003 when it is anything else.';
