-- Returns a set from one statement, so that it becomes a part of the calling query. Windows and limits are read only
-- for the few campaigns that have them: one function call for each of 1,000 campaigns took 100 ms of every tick. The
-- contents that are not checked are read once, from an index that is nearly always empty. A campaign whose content has
-- a fault never runs.
create or replace function retoma_internal.zones_that_may_send(p_now timestamptz)
returns table (campaign_id int, zone text)
language sql stable
begin atomic
  select z.campaign_id, z.zone
  from retoma_internal.campaign as c
  inner join retoma_internal.campaign_zone as z on c.id = z.campaign_id
  where c.status = 'running'
    and c.id <> all(array(
      select t.campaign_id from retoma_internal.campaign_content as t
      where t.required_variables is null and t.fault is null
        and exists (select from retoma_internal.campaign as r where r.id = t.campaign_id and r.status = 'running')
    ))
    and (z.zone = '' or retoma_internal.window_is_open(c.id, z.zone, p_now))
    and not exists (
      select from retoma_internal.limit_rule as l
      where l.scope = 'campaign' and l.subject_id = c.id and l.exhausted_until > p_now
    );
end;

comment on function retoma_internal.zones_that_may_send(timestamptz) is
'The zones to which running campaigns may send at p_now: inside a window, with a checked content, and within their
limits.';
