create or replace function retoma_internal.rolling_period(p_per text) returns interval
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_period interval;
begin
  begin
    v_period := make_interval(secs => extract(epoch from p_per::interval)::double precision);
  exception
    when data_exception then
      v_period := null;
  end;
  if v_period is null or v_period not between '1 second' and '31 days' then
    raise exception using errcode = 'RT003', constraint = 'not_a_period',
      message = format('%s is not a period of a limit', coalesce(quote_literal(p_per), 'null')),
      hint = 'Give hour, day, week or month of the calendar, or a length from ''1 second'' to ''31 days'', '
        || 'as in ''24 hours''';
  end if;
  return v_period;
end;
$$;

comment on function retoma_internal.rolling_period(text) is
'The length of a rolling period. Error RT003: not a length from 1 second to 31 days.';
