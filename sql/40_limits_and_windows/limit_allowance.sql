-- The only place where limits are decided. Locks the rules in the order of their ids, whatever their scopes are. Reads
-- the clock and the use under the locks: a step can wait long for them, because the transaction that holds them may
-- wait for a lost standby. spend_limits records only messages that were really reserved.
create or replace function retoma_internal.limit_allowance(
  p_limit_ids int[], p_want int, out allowed int, out at timestamptz
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_locked int;
begin
  perform from retoma_internal.limit_rule as l
  where l.id = any(p_limit_ids)
  order by l.id
  for no key update;
  get diagnostics v_locked = row_count;
  at := retoma.clock();
  if v_locked < cardinality(p_limit_ids) then
    -- A rule was removed in the meantime, and perhaps replaced by a new one. The next step reads the new one.
    allowed := 0;
    return;
  end if;
  allowed := least(p_want, (
    select min(retoma_internal.limit_left(l, at)) from retoma_internal.limit_rule as l where l.id = any(p_limit_ids)
  ));
  if allowed = 0 then
    perform retoma_internal.exhaust_limits(p_limit_ids, at);
  end if;
end;
$$;

comment on function retoma_internal.limit_allowance(int[], int) is
'How many of p_want messages these rules allow, and at which time. Keeps the rules locked until the transaction ends.';
