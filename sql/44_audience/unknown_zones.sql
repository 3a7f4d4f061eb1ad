-- The plan is kept, and the list of names with it.
create or replace function retoma_internal.unknown_zones(p_zones text[]) returns text[]
language plpgsql stable
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_generic_plan
as $$
begin
  return array(
    select distinct name.name
    from (select distinct given.zones from unnest(p_zones) as given (zones) where given.zones <> '') as used
    cross join lateral unnest(string_to_array(used.zones, ',')) as name (name)
    where name.name <> all(retoma_internal.time_zone_names())
  );
end;
$$;

comment on function retoma_internal.unknown_zones(text[]) is
'Names in p_zones that the server does not know. Each element holds names joined by commas.';
