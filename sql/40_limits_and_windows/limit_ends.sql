-- A calendar period ends by local time, because a day can have 23 or 25 hours. An hour cannot end by local time,
-- because local time repeats one hour in autumn.
create or replace function retoma_internal.limit_ends(
  p_limit retoma_internal.limit_rule, p_at timestamptz
) returns timestamptz
language sql stable
begin atomic
  select case
    when (p_limit).calendar = 'hour' then retoma_internal.limit_slot(p_limit, p_at) + interval '1 hour'
    when (p_limit).calendar is not null then (
      date_trunc((p_limit).calendar, p_at at time zone (p_limit).time_zone) + ('1 ' || (p_limit).calendar)::interval
    ) at time zone (p_limit).time_zone
    else (
      select min(u.slot) + (p_limit).rolling + (p_limit).rolling / 96
      from retoma_internal.limit_use as u
      where u.limit_id = (p_limit).id and u.person = '' and u.used > 0
        and u.slot >= retoma_internal.limit_counts_from(p_limit, p_at)
    )
  end;
end;

comment on function retoma_internal.limit_ends(retoma_internal.limit_rule, timestamptz) is
'When a rule that allows no message at p_at will allow one again.';
