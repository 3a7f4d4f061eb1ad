-- Numbers are checked just in time: a zone that has an open batch waiting needs no other one. So a campaign that is
-- cancelled has asked for few numbers in vain, and one with many recipients does not keep the others waiting. A
-- scheduled campaign is made ready in the hour before it starts.
create or replace view retoma_internal.closed_zone as
select c.id as campaign_id, z.zone, n.id as batch_id, c.status = 'running' as runs
from retoma_internal.campaign as c
inner join retoma_internal.campaign_zone as z on c.id = z.campaign_id
cross join lateral (
  select b.id
  from retoma_internal.batch as b
  where b.campaign_id = c.id and b.zone = z.zone and b.status = 'ready' and b.not_before = 'infinity'
  order by b.id
  limit 1
) as n
where c.resolves_addresses and c.status in ('scheduled', 'running')
  and (c.status = 'running' or (c.status = 'scheduled' and c.starts_at <= retoma.clock() + interval '1 hour'))
  and not exists (
    select from retoma_internal.batch as b
    where b.campaign_id = c.id and b.zone = z.zone and b.status = 'ready' and b.not_before < 'infinity'
      and b.attempt = 1
  );

comment on view retoma_internal.closed_zone is
'The zones of campaigns in which no batch can be leased for the first time before the addresses of batch_id are known.';
