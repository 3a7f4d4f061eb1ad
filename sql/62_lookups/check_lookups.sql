create or replace function retoma_internal.check_lookups(p_results jsonb) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_results) is distinct from 'array' or exists (
    select from jsonb_array_elements(p_results) as r (item)
    where jsonb_typeof(r.item) <> 'object'
      or jsonb_typeof(r.item -> 'message_id') is distinct from 'string'
      or jsonb_typeof(r.item -> 'attempt') is distinct from 'number'
      or r.item ->> 'attempt' !~ '^[0-9]{1,4}$'
      or coalesce(r.item ->> 'result', '') not in ('found', 'absent', 'unknown')
  ) then
    raise exception using errcode = 'RT003', constraint = 'bad_lookup',
      message = 'results are a JSON array of objects with message_id, attempt, and a result: found, absent or unknown',
      hint = '[{"message_id": "…", "attempt": 1, "result": "found"}], the first two as due_lookups returned them';
  end if;
end;
$$;

comment on function retoma_internal.check_lookups(jsonb) is
'Error RT003 when p_results are not as record_lookups takes them.';
