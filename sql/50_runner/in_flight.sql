create or replace function retoma.in_flight(p_batch retoma.batch) returns int
language sql immutable
begin atomic
  select (p_batch).reserved - (p_batch).sent - (p_batch).failed - (p_batch).skipped - (p_batch).in_doubt - (p_batch).moved;
end;

comment on function retoma.in_flight(retoma.batch) is 'Messages of a batch that are reserved and have no outcome yet.';
