-- Locks a row of turn until the transaction ends; never waits.
create or replace function retoma_internal.take_turn(p_work text) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform from retoma_internal.turn as t where t.work = p_work and t.number = 0 for no key update skip locked;
  return found;
end;
$$;

comment on function retoma_internal.take_turn(text) is
'Whether this transaction may do p_work now, because no other transaction is doing it.';
