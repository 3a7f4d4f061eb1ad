-- Asks the server's list once for the distinct names, as reading that list takes tens of milliseconds.
create or replace function retoma.unknown_zones(p_zones text[]) returns text[]
language sql stable
begin atomic
  select coalesce(array_agg(z.name), '{}')
  from (
    select distinct unnest(string_to_array(u.zones, ',')) as name
    from (select distinct given.zones from unnest(p_zones) as given (zones) where given.zones <> '') as u
  ) as z
  where not exists (select from pg_timezone_names as known where known.name = z.name);
end;

comment on function retoma.unknown_zones(text[]) is
'Names that the server does not know, among zones that are joined by commas in each element.';
