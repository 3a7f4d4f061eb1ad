create or replace function retoma_internal.check_answers(p_answers jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_answers) is distinct from 'array' or exists (
    select from retoma_internal.json_list(p_answers) as l
    where not coalesce(retoma_internal.is_e164(l.item ->> 'phone'), false)
      or coalesce(jsonb_typeof(l.item -> 'exists'), 'null') not in ('boolean', 'null')
      or coalesce(jsonb_typeof(l.item -> 'address'), 'null') not in ('string', 'null')
      or coalesce(length(l.item ->> 'address'), 1) not between 1 and 200
  ) then
    raise exception using errcode = 'RT003', constraint = 'bad_numbers',
      message = 'answers are a JSON array of objects with phone, exists and address',
      hint = '[{"phone": "+5511955510001", "exists": true, "address": "+551155510001"}]; exists is null when the '
        || 'provider did not say, an address has 1 to 200 characters';
  end if;
end;
$$;

comment on function retoma_internal.check_answers(jsonb) is
'Error RT003 when p_answers are not what record_numbers takes.';
