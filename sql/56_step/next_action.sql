-- A runner that would wait longer than half a lease gives the batch back instead. The doorbell rings when the wait is
-- over.
create or replace function retoma_internal.next_action(
  p_batch retoma_internal.batch, p_messages json, p_wait_s double precision, p_context retoma_internal.step_context
) returns text
language sql immutable
begin atomic
  select case
    when p_messages is not null then 'send'
    when retoma_internal.in_flight(p_batch) > 0 then 'wait'
    when (p_batch).reserved = (p_batch).size then 'completed'
    when p_wait_s is null or p_wait_s > extract(epoch from (p_context).lease) / 2 then 'released'
    else 'wait'
  end;
end;

comment on function retoma_internal.next_action(
  retoma_internal.batch, json, double precision, retoma_internal.step_context
) is 'The action that a step returns after it tried to reserve; see advance_batch. p_wait_s: seconds, null: not known.';
