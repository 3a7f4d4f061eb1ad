-- A calendar period ends by the clock on the wall: a day can have 23 or 25 hours. An hour cannot: the wall repeats one
-- in autumn.
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
      where u.limit_id = (p_limit).id and u.slot >= retoma_internal.limit_counts_from(p_limit, p_at)
    )
  end;
end;

comment on function retoma_internal.limit_ends(retoma_internal.limit_rule, timestamptz) is
'When a rule that leaves nothing at this time will leave something again.';
