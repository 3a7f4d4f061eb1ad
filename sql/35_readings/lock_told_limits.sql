-- The groups are locked for those whose rule does not exist yet: without this, two channels of one group could be
-- judged by the old number of each other.
create or replace function retoma_internal.lock_told_limits(p_channel_id int, p_group_ids int[]) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform from retoma_internal.channel_group as g where g.id = any(p_group_ids) order by g.id for no key update;
  perform from retoma_internal.limit_rule as l
  where l.told_by_provider and (
    l.scope = 'channel' and l.subject_id = p_channel_id
    or l.scope = 'channel_group' and l.subject_id = any(p_group_ids)
  )
  order by l.id
  for update;
end;
$$;

comment on function retoma_internal.lock_told_limits(int, int[]) is
'Locks what apply_told_limits changes: the groups, then the rules, each in the order of their ids.';
