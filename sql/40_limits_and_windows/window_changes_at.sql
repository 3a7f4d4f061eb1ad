-- Windows repeat each week, so a change is found within eight days or never. Each opening and closing of a window is
-- tried, because a window can begin where another one ends, and the zones of one recipient are seldom open together.
create or replace function retoma_internal.window_changes_at(
  p_campaign_id int, p_zone text, p_at timestamptz
) returns timestamptz
language sql stable
begin atomic
  select s.at
  from (
    select distinct (l.today + n.days + e.edge) at time zone l.zone as at
    from (
      select z.zone, (p_at at time zone z.zone)::date as today from unnest(string_to_array(p_zone, ',')) as z (zone)
    ) as l
    cross join generate_series(0, 8) as n (days)
    cross join retoma_internal.send_window as w
    cross join lateral (values (w.opens), (w.closes)) as e (edge)
    where w.scope = 'campaign' and w.subject_id = p_campaign_id
      and extract(isodow from l.today + n.days)::smallint = any(w.days)
  ) as s
  where s.at > p_at
    and retoma_internal.window_is_open(p_campaign_id, p_zone, s.at)
    <> retoma_internal.window_is_open(p_campaign_id, p_zone, p_at)
  order by s.at
  limit 1;
end;

comment on function retoma_internal.window_changes_at(int, text, timestamptz) is
'When the windows of a campaign next open or close for p_zone (IANA names joined by commas) after p_at; null: never.';
