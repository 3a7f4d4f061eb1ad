-- The clock of a provider can be wrong, or a caller can make a time up. A time that has not come yet must not make
-- everything that follows look old, so it counts as now.
create or replace function retoma_internal.event_time(p_at timestamptz) returns timestamptz
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if not isfinite(p_at) then
    raise exception using errcode = 'RT003', constraint = 'bad_time',
      message = format('%L is not a time', p_at),
      hint = 'Give the time at which it happened, as 2026-01-01T12:00:00Z, or leave it out';
  end if;
  return least(p_at, retoma.clock());
end;
$$;

comment on function retoma_internal.event_time(timestamptz) is
'When something happened that is reported now. p_at: by the clock of the caller; null: now. A time in the future counts
as now. Error RT003 when p_at is infinite.';
