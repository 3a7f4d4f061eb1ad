-- A WhatsApp portfolio has one limit for all of its numbers, so what a channel of a group is told holds for the group.
-- If its channels are told different numbers, the smallest holds: one answer may be older than the other.
--
-- The caller has called lock_told_limits.
create or replace function retoma_internal.apply_told_limits(p_channel_id int, p_group_ids int[]) returns void
language sql volatile
begin atomic
  with told as materialized (
    select
      case when c.channel_group_id is null then 'channel' else 'channel_group' end as scope,
      coalesce(c.channel_group_id, c.id) as subject_id,
      min(a.people_per_day) as maximum
    from retoma_internal.channel as c
    inner join retoma_internal.account as a on c.id = a.channel_id and a.people_per_day is not null
    where c.channel_group_id = any(p_group_ids) or c.id = p_channel_id
    group by 1, 2
  ),

  ended as (
    delete from retoma_internal.limit_rule as l
    where l.told_by_provider
      and (
        l.scope = 'channel' and l.subject_id = p_channel_id
        or l.scope = 'channel_group' and l.subject_id = any(p_group_ids)
      )
      and not exists (select from told as t where t.scope = l.scope and t.subject_id = l.subject_id)
  )

  insert into retoma_internal.limit_rule as l (scope, subject_id, counting, maximum, rolling, told_by_provider)
  select t.scope, t.subject_id, 'people', t.maximum, '24 hours', true from told as t
  on conflict (scope, subject_id, counting, calendar, rolling, told_by_provider) do update
  set maximum = excluded.maximum, exhausted_until = '-infinity'
  where l.maximum <> excluded.maximum;
end;

comment on function retoma_internal.apply_told_limits(int, int[]) is
'Makes what providers said of this channel, or of the channels of these groups, a rule: to how many people they may
begin a conversation in any 24 hours. Ends the rules of those of whom nothing is said.';
