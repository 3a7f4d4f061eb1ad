-- The only clock (invariant 8): a runner's own clock decides nothing. Takes no lock.
create or replace function retoma.clock() returns timestamptz
language sql volatile parallel safe
begin atomic
  select clock_timestamp() + s.clock_shift from retoma.setting as s;
end;

comment on function retoma.clock() is
'The time by which everything is decided: the database''s clock plus setting.clock_shift, which only tests move.';
