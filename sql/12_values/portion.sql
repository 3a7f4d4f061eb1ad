-- A null would be "limit null", which is no limit.
create or replace function retoma_internal.portion(p_limit int) returns int
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_limit is null or p_limit not between 1 and 10000 then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('p_limit cannot be %s', coalesce(p_limit::text, 'null')),
      hint = 'Ask for 1 to 10000 rows in one call';
  end if;
  return p_limit;
end;
$$;

comment on function retoma_internal.portion(int) is
'p_limit, which callers use to ask for a part of many rows. Error RT003 when it is not from 1 to 10000.';
