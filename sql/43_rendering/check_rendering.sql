create or replace function retoma_internal.check_rendering(p_after int, p_through int, p_faults jsonb) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_after is null or p_after < 0 or p_through is null or p_through <= p_after
    or coalesce(jsonb_typeof(p_faults), '') <> 'array'
    or exists (
      select from jsonb_array_elements(p_faults) as f
      where jsonb_typeof(f) <> 'object' or coalesce(f ->> 'code', '') !~ '^[a-z_]{1,60}$'
        or coalesce(f ->> 'reason', '') = '' or coalesce(f ->> 'messages', '') !~ '^[1-9][0-9]{0,4}$'
        or coalesce(f ->> 'first_ordinal', '') !~ '^[1-9][0-9]{0,8}$'
    )
    or (select sum((f ->> 'messages')::int) from jsonb_array_elements(p_faults) as f) > p_through - p_after
  then
    raise exception using errcode = 'RT003', constraint = 'bad_rendering',
      message = 'a rendering says how far it went, and counts the messages that cannot be made',
      hint = 'For example 0, 1000, ''[{"code": "text_empty", "reason": "body[0] is empty", "messages": 2, '
        || '"first_ordinal": 7}]''';
  end if;
end;
$$;

comment on function retoma_internal.check_rendering(int, int, jsonb) is
'Error RT003 when these are no result of rendering a page of recipients.';
