create or replace function retoma_internal.patched_gap(p_patch jsonb, p_key text, p_now interval) returns interval
language sql immutable
begin atomic
  select case
    when p_patch ? p_key
      then make_interval(secs => coalesce(retoma_internal.patch_number(p_patch, p_key, 0, 86400), 0)::double precision)
    else p_now
  end;
end;

comment on function retoma_internal.patched_gap(jsonb, text, interval) is
'The gap under p_key after this patch, which gives it in seconds, 0 to 86400; p_now when the patch does not name it, 0
when it is null. Error RT003 when it is anything else.';
