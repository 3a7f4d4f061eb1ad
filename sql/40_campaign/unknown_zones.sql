-- Asks the server's list once for the distinct names, as reading that list takes tens of milliseconds.
create or replace function retoma.unknown_zones(p_campaign text) returns text[]
language sql stable
begin atomic
  select coalesce(array_agg(z.name), '{}')
  from (
    select distinct unnest(string_to_array(s.zone, ',')) as name
    from retoma.recipient_staging as s
    where s.campaign = p_campaign and s.zone <> ''
  ) as z
  where not exists (select from pg_timezone_names as known where known.name = z.name);
end;

comment on function retoma.unknown_zones(text) is 'Zone names among the staged recipients of a campaign that the server does not know.';
