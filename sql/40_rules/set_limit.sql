-- Locks the rule, so that a step that is taking allowance ends first. A changed rule is judged anew.
create or replace function retoma.set_limit(
  p_scope text, p_subject text, p_maximum int, p_per text default 'day', p_time_zone text default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_subject_id int := retoma_internal.limit_subject(p_scope, p_subject);
  v_calendar text := case when p_per in ('hour', 'day', 'week', 'month') then p_per end;
  v_rolling interval := case when v_calendar is null then retoma_internal.rolling_period(p_per) end;
  v_old retoma_internal.limit_rule;
  v_new retoma_internal.limit_rule;
begin
  perform retoma_internal.check_time_zone(p_time_zone);
  if p_maximum <= 0 then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('a limit cannot be %s messages', p_maximum),
      hint = 'Give a number greater than 0, or null to remove the limit. To send nothing, pause it';
  end if;
  select l.* into v_old
  from retoma_internal.limit_rule as l
  where l.scope = p_scope and l.subject_id = v_subject_id and l.counting = 'messages'
    and (l.calendar, l.rolling) is not distinct from (v_calendar, v_rolling)
  for update;
  if p_maximum is null then
    delete from retoma_internal.limit_rule as l where l.id = v_old.id;
    return;
  end if;
  insert into retoma_internal.limit_rule as l (scope, subject_id, maximum, calendar, rolling, time_zone)
  values (
    p_scope, v_subject_id, p_maximum, v_calendar, v_rolling,
    coalesce(p_time_zone, v_old.time_zone, retoma_internal.limit_zone(p_scope, v_subject_id))
  )
  on conflict (scope, subject_id, counting, calendar, rolling) do update
  set maximum = excluded.maximum, time_zone = excluded.time_zone, exhausted_until = '-infinity'
  returning l.* into v_new;
  perform retoma_internal.carry_limit_use(v_old, v_new, retoma.clock());
  perform retoma_internal.exhaust_limits(array[v_new.id], retoma.clock());
end;
$$;

comment on function retoma.set_limit(text, text, int, text, text) is
'At most p_maximum messages per period; null removes the limit of this period. p_scope: channel or campaign; p_subject:
its name. p_per: hour, day, week or month of the calendar, or a length as ''24 hours'': so many in any 24 hours.
Several periods may be limited at once. p_time_zone: IANA zone in which days begin; by default the one that the limit
has, for a new limit the zone of the campaign, otherwise UTC. Takes effect at the next step. What was sent before a
limit was first set does not count. Set several limits in one transaction in the order of v_limit.limit_id, as steps
lock them.
Errors: RT001 unknown channel or campaign, RT003 bad value.';
