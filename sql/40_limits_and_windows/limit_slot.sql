-- A rolling period is counted in 96 parts: 15 minutes each for one day.
create or replace function retoma_internal.limit_slot(
  p_limit retoma_internal.limit_rule, p_at timestamptz
) returns timestamptz
language sql stable
begin atomic
  select case
    when (p_limit).calendar is not null then date_trunc((p_limit).calendar, p_at, (p_limit).time_zone)
    else date_bin((p_limit).rolling / 96, p_at, 'epoch'::timestamptz)
  end;
end;

comment on function retoma_internal.limit_slot(retoma_internal.limit_rule, timestamptz) is
'Start of the slot of limit_use in which a message at p_at is counted.';
