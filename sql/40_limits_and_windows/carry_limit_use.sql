-- A slot of one zone is not a slot of another zone. Without this function, a change of the zone would give a second
-- allowance on the same day. The caller holds the lock of the rule.
create or replace function retoma_internal.carry_limit_use(
  p_old retoma_internal.limit_rule, p_new retoma_internal.limit_rule, p_now timestamptz
) returns void
language sql volatile
begin atomic
  insert into retoma_internal.limit_use as u (limit_id, slot, used)
  select (p_new).id, retoma_internal.limit_slot(p_new, p_now), retoma_internal.limit_used(p_old, p_now)
  where (p_new).calendar is not null and (p_old).time_zone <> (p_new).time_zone
  on conflict (limit_id, person, slot) do update set used = greatest(u.used, excluded.used);
end;

comment on function retoma_internal.carry_limit_use(
  retoma_internal.limit_rule, retoma_internal.limit_rule, timestamptz
) is 'After a change of the zone of a calendar rule: counts the use of its present period in the new zone too.';
