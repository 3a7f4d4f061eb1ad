-- What a step that tried to reserve tells its runner. A wait of more than half a lease gives the batch back: the doorbell rings in time.
create or replace function retoma.next_action(
  p_batch retoma.batch, p_has_messages boolean, p_wait_s double precision, p_lease interval
) returns text
language sql immutable
begin atomic
  select case
    when p_has_messages then 'send'
    when retoma.in_flight(p_batch) > 0 then 'wait'
    when (p_batch).reserved = (p_batch).size then 'completed'
    when p_wait_s is null or p_wait_s > extract(epoch from p_lease) / 2 then 'released'
    else 'wait'
  end;
end;

comment on function retoma.next_action(retoma.batch, boolean, double precision, interval) is 'The action of a step that tried to reserve.';
