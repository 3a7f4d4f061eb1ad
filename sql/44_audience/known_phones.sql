-- While a long list is loaded, the planner knows nothing of it: an analyze in the middle sees no row, as none is committed, and from then on
-- the campaign counts as empty. Then any index will do, and one lookup reads all that was loaded. So each asks for an order (of the one
-- number that there can be) which only the index of numbers has without a sort; and by a subquery of its own, which cannot become a join
-- of the whole campaign.
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

comment on function retoma_internal.known_phones(int, text[]) is 'Those of the numbers that the campaign has already.';
