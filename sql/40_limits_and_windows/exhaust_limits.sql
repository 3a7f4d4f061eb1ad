-- The caller holds the locks of the rules. Leases and rings read only exhausted_until, because adding up the slots of
-- every channel in every tick would take too long.
create or replace function retoma_internal.exhaust_limits(p_limit_ids int[], p_now timestamptz) returns void
language sql volatile
begin atomic
  update retoma_internal.limit_rule as l
  set exhausted_until = retoma_internal.limit_ends(l, p_now)
  where l.id = any(p_limit_ids) and retoma_internal.limit_left(l, p_now) = 0;
end;

comment on function retoma_internal.exhaust_limits(int[], timestamptz) is
'Sets exhausted_until of those of these rules that allow no message at p_now.';
