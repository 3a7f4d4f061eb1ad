-- A person counts in the slot of the last message; the rows without a person hold the sums. So the sum of the slots of
-- a period is the number of different people in it. The caller has locked the rules in limit_allowance.
create or replace function retoma_internal.spend_people(
  p_limit_ids int[], p_phones text[], p_at timestamptz
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_people text[] := array(select distinct retoma_internal.suppression_key(u.phone) from unnest(p_phones) as u (phone));
  v_limit retoma_internal.limit_rule;
  v_slot timestamptz;
begin
  for v_limit in
    select l.* from retoma_internal.limit_rule as l
    where l.id = any(p_limit_ids) and l.counting = 'people'
    order by l.id
  loop
    v_slot := retoma_internal.limit_slot(v_limit, p_at);
    with moved as (
      delete from retoma_internal.limit_use as u
      where u.limit_id = v_limit.id and u.person = any(v_people)
        and u.slot >= retoma_internal.limit_counts_from(v_limit, p_at)
      returning u.slot
    )

    update retoma_internal.limit_use as u set used = u.used - m.people
    from (select mm.slot, count(*)::int as people from moved as mm group by mm.slot) as m
    where u.limit_id = v_limit.id and u.person = '' and u.slot = m.slot;
    insert into retoma_internal.limit_use as u (limit_id, person, slot, used)
    select v_limit.id, p.person, v_slot, 1 from unnest(v_people) as p (person)
    on conflict (limit_id, person, slot) do nothing;
    insert into retoma_internal.limit_use as u (limit_id, slot, used) values (v_limit.id, v_slot, cardinality(v_people))
    on conflict (limit_id, person, slot) do update set used = u.used + excluded.used;
  end loop;
end;
$$;

comment on function retoma_internal.spend_people(int[], text[], timestamptz) is
'Counts the people of reserved messages under those of these rules that count people. p_at: the time that
limit_allowance returned.';
