-- Campaigns with equal windows share one look at them: at night, thousands of campaigns are closed at once.
create or replace view retoma_internal.window_opening as
with moment as materialized (select retoma.clock() as at),

ruled as materialized (
  select
    c.id,
    string_agg(format('%s %s %s', w.days, w.opens, w.closes), ',' order by w.days, w.opens, w.closes) as windows
  from retoma_internal.campaign as c
  inner join retoma_internal.send_window as w on w.scope = 'campaign' and c.id = w.subject_id
  where c.status = 'running'
  group by c.id
),

opening as materialized (
  select
    e.windows,
    e.zone,
    case
      when retoma_internal.window_is_open(e.example, e.zone, n.at) then '-infinity'
      else retoma_internal.window_changes_at(e.example, e.zone, n.at)
    end as opens_at
  from moment as n
  cross join (
    select r.windows, z.zone, min(r.id) as example
    from ruled as r inner join retoma_internal.campaign_zone as z on r.id = z.campaign_id
    group by r.windows, z.zone
  ) as e
)

select r.id as campaign_id, o.zone, o.opens_at
from ruled as r
inner join retoma_internal.campaign_zone as z on r.id = z.campaign_id
inner join opening as o on r.windows = o.windows and z.zone = o.zone;

comment on view retoma_internal.window_opening is
'For each zone of the running campaigns that have windows: when it opens; -infinity: it is open, null: it never opens.';
