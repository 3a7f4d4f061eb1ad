create or replace function retoma_internal.patched_count(p_patch jsonb, p_key text, p_max int, p_now int) returns int
language sql immutable
begin atomic
  select case
    when p_patch ? p_key then coalesce(retoma_internal.patch_int(p_patch, p_key, 1, p_max), 1)
    else p_now
  end;
end;

comment on function retoma_internal.patched_count(jsonb, text, int, int) is
'The whole number under p_key after this patch, from 1 to p_max; p_now when the patch does not name it, 1 when it is
null. Error RT003 when it is anything else.';
