create or replace function retoma_internal.check_confirmation_outcome(p_outcome jsonb) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_outcome) is distinct from 'object'
    or coalesce(p_outcome ->> 'status', '') not in ('accepted', 'held', 'error')
    or coalesce(jsonb_typeof(p_outcome -> 'written'), 'null') not in ('boolean', 'null')
    or coalesce(jsonb_typeof(p_outcome -> 'retry_after_s'), 'null') not in ('number', 'null')
    or length(p_outcome ->> 'provider_id') > 200 or length(p_outcome ->> 'code') > 200
  then
    raise exception using errcode = 'RT003', constraint = 'bad_outcome',
      message = format('a confirmation cannot take the outcome %s', coalesce(left(p_outcome::text, 500), 'null')),
      hint = '{"status": "error", "code": "timeout", "written": true}; status: accepted, held or error; '
        || 'provider_id and code have up to 200 characters';
  end if;
end;
$$;

comment on function retoma_internal.check_confirmation_outcome(jsonb) is
'Error RT003 when p_outcome is not as record_confirmation takes it.';
