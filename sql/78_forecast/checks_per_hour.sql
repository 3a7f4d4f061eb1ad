-- How many numbers are known already is not counted: that would take one read per message. So a campaign to people who
-- were asked about lately can be faster than its forecast, where checks are slower than sending.
create or replace function retoma_internal.checks_per_hour(p_campaign retoma_internal.campaign)
returns double precision
language sql stable
set search_path to pg_catalog, pg_temp
begin atomic
  select case when bool_and(s.gap_s > 0) then sum(3600 / nullif(s.gap_s, 0)) end
  from (
    select (h.settings ->> 'check_gap_s')::double precision as gap_s
    from retoma_internal.number_checker as k
    inner join retoma_internal.channel as h on k.channel_id = h.id
    where k.campaign_id = (p_campaign).id and k.checks and k.works
  ) as s
  where (p_campaign).status = 'draft' or (p_campaign).resolves_addresses and exists (
    select from retoma_internal.batch as b
    where b.campaign_id = (p_campaign).id and b.status = 'ready' and b.not_before = 'infinity'
  );
end;

comment on function retoma_internal.checks_per_hour(retoma_internal.campaign) is
'How many numbers of a campaign its channels can ask about per hour; null when none has to be asked about, or nothing
but the provider limits it.';
