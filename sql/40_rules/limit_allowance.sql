-- The one place where limits are decided. Locks the rules in the order of their ids, whatever their scopes are, and
-- reads their use under the locks. Use is recorded (spend_limits) only for what was really reserved.
create or replace function retoma_internal.limit_allowance(
  p_limit_ids int[], p_want int, p_now timestamptz
) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_allowed int;
begin
  perform from retoma_internal.limit_rule as l
  where l.id = any(p_limit_ids)
  order by l.id
  for no key update;
  v_allowed := least(p_want, (
    select min(retoma_internal.limit_left(l, p_now))
    from retoma_internal.limit_rule as l
    where l.id = any(p_limit_ids)
  ));
  if v_allowed = 0 then
    perform retoma_internal.exhaust_limits(p_limit_ids, p_now);
  end if;
  return v_allowed;
end;
$$;

comment on function retoma_internal.limit_allowance(int[], int, timestamptz) is
'How many of p_want messages these rules allow now. Holds the rules until the reservation commits.';
