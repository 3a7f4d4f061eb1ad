-- The caller has locked the rules in limit_allowance.
create or replace function retoma_internal.spend_limits(
  p_limit_ids int[], p_messages json, p_count int, p_at timestamptz
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_messages int;
begin
  insert into retoma_internal.limit_use as u (limit_id, slot, used)
  select l.id, retoma_internal.limit_slot(l, p_at), p_count
  from retoma_internal.limit_rule as l
  where l.id = any(p_limit_ids) and l.counting = 'messages'
  on conflict (limit_id, person, slot) do update set used = u.used + excluded.used;
  get diagnostics v_messages = row_count;
  if v_messages < cardinality(p_limit_ids) then
    perform retoma_internal.spend_people(
      p_limit_ids, array(select m.item ->> 2 from json_array_elements(p_messages) as m (item)), p_at
    );
  end if;
  perform retoma_internal.exhaust_limits(p_limit_ids, p_at);
end;
$$;

comment on function retoma_internal.spend_limits(int[], json, int, timestamptz) is
'Counts p_count reserved messages under these rules. p_messages: as in advance_batch.
p_at: the time that limit_allowance returned.';
