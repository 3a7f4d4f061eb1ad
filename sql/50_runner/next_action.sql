-- What a step that reserved tells its runner. A wait of more than half a lease gives the batch back: the doorbell rings in time.
create or replace function retoma.next_action(
  p_batch retoma.batch, p_open int, p_messages json, p_wait_s double precision
) returns text
language sql stable
begin atomic
  select case
    when p_messages is not null then 'send'
    when p_open > 0 then 'wait'
    when (p_batch).reserved = (p_batch).size then 'completed'
    when p_wait_s is null or p_wait_s > (select extract(epoch from s.lease_duration) / 2 from retoma.setting as s) then 'released'
    else 'wait'
  end;
end;

comment on function retoma.next_action(retoma.batch, int, json, double precision) is 'The action of a step that tried to reserve.';
