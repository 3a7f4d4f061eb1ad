-- A clock that went back leaves slots in the future. A rolling rule counts them, a calendar rule does not. Security
-- definer, because v_limit calls it with the role that reads the view.
create or replace function retoma_internal.limit_used(
  p_limit retoma_internal.limit_rule, p_at timestamptz
) returns int
language sql stable security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select coalesce(sum(u.used), 0)::int
  from retoma_internal.limit_use as u
  where u.limit_id = (p_limit).id and u.person = ''
    and u.slot >= retoma_internal.limit_counts_from(p_limit, p_at)
    and ((p_limit).calendar is null or u.slot = retoma_internal.limit_slot(p_limit, p_at));
end;

comment on function retoma_internal.limit_used(retoma_internal.limit_rule, timestamptz) is
'How many messages, or people, count under a rule at p_at.';
