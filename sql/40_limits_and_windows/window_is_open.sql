-- A recipient that may be in several zones is contacted only when all of them are inside a window.
create or replace function retoma_internal.window_is_open(
  p_campaign_id int, p_zone text, p_at timestamptz
) returns boolean
language sql stable
begin atomic
  select p_zone = '' or not exists (
    select from unnest(string_to_array(p_zone, ',')) as z (name)
    where not exists (
      select from retoma_internal.send_window as w
      where w.scope = 'campaign' and w.subject_id = p_campaign_id
        and extract(isodow from p_at at time zone z.name)::smallint = any(w.days)
        and (p_at at time zone z.name)::time >= w.opens
        and (p_at at time zone z.name)::time < w.closes
    )
  );
end;

comment on function retoma_internal.window_is_open(int, text, timestamptz) is
'Whether the campaign may send to p_zone (IANA names joined by commas) at p_at. Always true for an empty zone, which has
no windows.';
