-- While a long list is loaded, the planner knows nothing about it. An analyze during the load sees no row, because none
-- is committed. From then on the campaign counts as empty, every index looks equally good, and one lookup could read
-- all loaded rows. So each lookup asks for an order that only the index of the numbers gives without a sort, although
-- at most one row can match. Each lookup is a separate subquery, so that the planner cannot turn them into a join with
-- the whole campaign.
create or replace function retoma_internal.known_phones(p_campaign_id int, p_phones text[]) returns text[]
language plpgsql stable
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_custom_plan
set enable_seqscan to off
set enable_bitmapscan to off
set enable_sort to off
as $$
begin
  return array(
    select u.phone from unnest(p_phones) as u (phone)
    where (
      select m.phone from retoma_internal.message as m
      where m.campaign_id = p_campaign_id and m.phone >= u.phone and m.phone <= u.phone
      order by m.phone
      limit 1
    ) is not null
  );
end;
$$;

comment on function retoma_internal.known_phones(int, text[]) is 'Those of p_phones that the campaign already has.';
