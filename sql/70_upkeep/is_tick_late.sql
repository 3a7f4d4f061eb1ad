-- Takes no lock: a session that keeps the turn of the tick can be late for ever.
create or replace function retoma_internal.is_tick_late(p_now timestamptz) returns boolean
language sql stable
begin atomic
  select coalesce(max(coalesce(r.ticked_at, r.registered_at)) < p_now - interval '2 s', false)
  from retoma_internal.runner as r;
end;

comment on function retoma_internal.is_tick_late(timestamptz) is
'Whether the last tick of a runner began more than 2 seconds before p_now. False when no runner has registered.';
