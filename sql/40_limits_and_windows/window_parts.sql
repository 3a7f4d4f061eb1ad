-- A day of the week ends at midnight, so a window over midnight is stored as two.
create or replace function retoma_internal.window_parts(
  p_opens time, p_closes time, p_days int[], out days smallint[], out opens time, out closes time
) returns setof record
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if not coalesce(
    p_opens <> p_closes and p_opens < '24:00' and p_days <@ '{1,2,3,4,5,6,7}' and p_days <> '{}', false
  ) then
    raise exception using errcode = 'RT003', constraint = 'not_a_window',
      message = format('%s to %s on days %s is not a window', p_opens, p_closes, p_days),
      hint = 'A window opens before 24:00 and closes at another time, on ISO days 1 (Monday) to 7. The whole day: '
        '00:00 to 24:00';
  end if;
  days := array(select distinct u.day::smallint from unnest(p_days) as u (day) order by 1);
  opens := p_opens;
  closes := case when p_closes > p_opens then p_closes else '24:00' end;
  return next;
  if p_closes > '00:00' and p_closes < p_opens then
    days := array(select u.day % 7 + 1 from unnest(days) as u (day) order by 1);
    opens := '00:00';
    closes := p_closes;
    return next;
  end if;
end;
$$;

comment on function retoma_internal.window_parts(time, time, int[]) is
'The windows, each within one day, that make up a window from p_opens until before p_closes on these ISO days.
Error RT003: not a window.';
