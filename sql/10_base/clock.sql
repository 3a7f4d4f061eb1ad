-- The only clock (invariant 8). The clock of a runner decides nothing. Takes no lock.
create or replace function retoma.clock() returns timestamptz
language sql volatile parallel safe
begin atomic
  select clock_timestamp() + s.clock_shift from retoma.setting as s;
end;

comment on function retoma.clock() is
'The time now, for every decision of Retoma: the clock of the database plus setting.clock_shift, which only tests
change.';
