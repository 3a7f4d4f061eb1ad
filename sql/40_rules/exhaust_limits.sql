-- The caller holds the rules. What leases and rings looks only at exhausted_until: it cannot add up slots for every
-- channel in every tick.
create or replace function retoma_internal.exhaust_limits(p_limit_ids int[], p_now timestamptz) returns void
language sql volatile
begin atomic
  update retoma_internal.limit_rule as l
  set exhausted_until = retoma_internal.limit_ends(l, p_now)
  where l.id = any(p_limit_ids) and retoma_internal.limit_left(l, p_now) = 0;
end;

comment on function retoma_internal.exhaust_limits(int[], timestamptz) is
'Marks those of these rules that leave nothing now.';
