create or replace function retoma_internal.in_flight(p_batch retoma_internal.batch) returns int
language sql immutable
begin atomic
  select
    (p_batch).reserved
    - (p_batch).sent - (p_batch).failed - (p_batch).skipped - (p_batch).in_doubt - (p_batch).requeued;
end;

comment on function retoma_internal.in_flight(retoma_internal.batch) is
'How many messages of a batch are reserved and have no outcome yet.';
