-- The caller has locked the rules in limit_allowance.
create or replace function retoma_internal.spend_limits(p_limit_ids int[], p_count int, p_at timestamptz) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  insert into retoma_internal.limit_use as u (limit_id, slot, used)
  select l.id, retoma_internal.limit_slot(l, p_at), p_count
  from retoma_internal.limit_rule as l
  where l.id = any(p_limit_ids)
  on conflict (limit_id, person, slot) do update set used = u.used + excluded.used;
  perform retoma_internal.exhaust_limits(p_limit_ids, p_at);
end;
$$;

comment on function retoma_internal.spend_limits(int[], int, timestamptz) is
'Counts p_count reserved messages under these rules. p_at: the time that limit_allowance returned.';
