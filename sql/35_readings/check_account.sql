create or replace function retoma_internal.check_account(p_account jsonb, p_fault text) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if (p_account is null) = (p_fault is null) or p_fault = '' or p_account is not null and not coalesce(
    jsonb_typeof(p_account) = 'object'
    and p_account - '{connected,reason,server,quality,people_per_day,rate_per_s}'::text[] = '{}'
    and jsonb_typeof(coalesce(p_account -> 'connected', 'null')) in ('boolean', 'null')
    and jsonb_typeof(coalesce(p_account -> 'reason', 'null')) in ('string', 'null')
    and jsonb_typeof(coalesce(p_account -> 'server', 'null')) in ('string', 'null')
    and jsonb_typeof(coalesce(p_account -> 'quality', 'null')) in ('string', 'null')
    and coalesce(p_account ->> 'people_per_day', '1') ~ '^[1-9][0-9]{0,8}$'
    and coalesce(p_account ->> 'rate_per_s', '1') ~ '^[0-9]{1,6}([.][0-9]{1,6})?$'
    and coalesce(p_account ->> 'rate_per_s', '1') !~ '^[0.]*$',
    false
  ) then
    raise exception using errcode = 'RT003', constraint = 'bad_account',
      message = 'this is not what a provider can say of an account',
      hint = 'Give {"connected": true, "reason": "CONNECTED", "server": "gateway 2026.8", "quality": "GREEN", '
        || '"people_per_day": 2000, "rate_per_s": 80}, each of them or null; or p_fault alone';
  end if;
end;
$$;

comment on function retoma_internal.check_account(jsonb, text) is
'Error RT003 when record_account is not given one of an account and a fault.';
