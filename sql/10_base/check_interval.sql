-- PostgreSQL compares months as 30 days, but adds them by the calendar. So '-1000 months 30001 days' passes as one day,
-- and moves the clock by more than a year. That is why each part is tested, too.
create or replace function retoma_internal.check_interval(
  p_name text, p_value interval, p_min interval, p_max interval
) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
set intervalstyle to postgres
as $$
begin
  if p_value is null or p_value not between p_min and p_max or least(
    extract(year from p_value), extract(month from p_value), extract(day from p_value),
    extract(hour from p_value), extract(minute from p_value), extract(second from p_value)
  ) < 0 then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('%s cannot be %s', p_name, coalesce(p_value::text, 'null')),
      hint = format('Give a length from ''%s'' to ''%s'', without a negative part', p_min, p_max);
  end if;
end;
$$;

comment on function retoma_internal.check_interval(text, interval, interval, interval) is
'Error RT003 when p_value is null, not from p_min to p_max, or has a negative part. p_name: for the message.';
