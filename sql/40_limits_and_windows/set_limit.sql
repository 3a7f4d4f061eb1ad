-- Locks the rule, so that a step that is using it ends first. A changed rule is judged again at once.
create or replace function retoma.set_limit(
  p_scope text,
  p_subject text,
  p_maximum int,
  p_per text default 'day',
  p_time_zone text default null,
  p_counting text default 'messages'
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_subject_id int;
  v_calendar text := case when p_per in ('hour', 'day', 'week', 'month') then p_per end;
  v_rolling interval := case when v_calendar is null then retoma_internal.rolling_period(p_per) end;
  v_old retoma_internal.limit_rule;
  v_new retoma_internal.limit_rule;
begin
  v_subject_id := retoma_internal.limit_subject(p_scope, p_subject);
  perform retoma_internal.check_time_zone(p_time_zone);
  if p_counting is null or p_counting not in ('messages', 'people') then
    raise exception using errcode = 'RT003', constraint = 'not_counted',
      message = format('a limit cannot count %s', coalesce(quote_literal(left(p_counting, 100)), 'null')),
      hint = 'Give messages; or people: a person to whom several are sent in the period counts once';
  end if;
  if p_maximum <= 0 then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('a limit cannot be %s %s', p_maximum, p_counting),
      hint = 'Give a number greater than 0, or null to remove the limit. To send nothing, pause it';
  end if;
  select l.* into v_old
  from retoma_internal.limit_rule as l
  where l.scope = p_scope and l.subject_id = v_subject_id and l.counting = p_counting and not l.told_by_provider
    and (l.calendar, l.rolling) is not distinct from (v_calendar, v_rolling)
  for update;
  if p_maximum is null then
    delete from retoma_internal.limit_rule as l where l.id = v_old.id;
    return;
  end if;
  insert into retoma_internal.limit_rule as l (scope, subject_id, counting, maximum, calendar, rolling, time_zone)
  values (
    p_scope, v_subject_id, p_counting, p_maximum, v_calendar, v_rolling,
    coalesce(p_time_zone, v_old.time_zone, retoma_internal.limit_zone(p_scope, v_subject_id))
  )
  on conflict (scope, subject_id, counting, calendar, rolling, told_by_provider) do update
  set maximum = excluded.maximum, time_zone = excluded.time_zone, exhausted_until = '-infinity'
  returning l.* into v_new;
  perform retoma_internal.carry_limit_use(v_old, v_new, retoma.clock());
  perform retoma_internal.exhaust_limits(array[v_new.id], retoma.clock());
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.set_limit(text, text, int, text, text, text) is
'Allows at most p_maximum messages per period; null removes the limit of this period. A subject can have limits of
several periods.
p_scope: channel, channel_group or campaign. p_subject: its name. p_counting: messages; or people, of whom each counts
once, when it was last sent something in the period. p_per: hour, day, week or month of the calendar, or a rolling
length from ''1 minute'' to ''31 days'': ''24 hours'' means any 24 hours. p_time_zone: IANA zone of the calendar; by
default that of the existing limit, else that of the campaign, else UTC.
Takes effect at the next step. Messages sent before the limit was first set do not count. To set several limits in one
transaction, follow the order of v_limit.limit_id, in which steps lock them.
Errors: RT001 unknown channel, group or campaign, RT003 bad value.';
