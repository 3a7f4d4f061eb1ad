-- The sending of one stretch of time in which nothing changes: it ends at p_next, or earlier when a limit or the open
-- zones are used up. With several zones open, each gets its share.
create or replace function retoma_internal.forecast_step(
  p_channel_ids int[],
  p_speeds double precision[],
  p_cap double precision,
  p_limit_of int[],
  p_open boolean[],
  p_next timestamptz,
  inout p_at timestamptz,
  inout p_rest double precision[],
  inout p_room double precision[]
)
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_able double precision := (select sum(s.speed) from unnest(p_speeds) as s (speed));
  v_speed double precision := least(v_able, p_cap);
  v_open double precision := (
    select sum(z.rest) from unnest(p_rest, p_open) as z (rest, is_open) where z.is_open and z.rest >= 0.001
  );
  v_drains double precision[] := array(
    select v_speed / nullif(v_able, 0) * (
      select sum(s.speed) from unnest(p_channel_ids, p_speeds) as s (channel_id, speed)
      where l.channel_id in (0, s.channel_id)
    )
    from unnest(p_limit_of) with ordinality as l (channel_id, place)
    order by l.place
  );
  v_hours double precision;
begin
  if v_speed = 0 or v_open is null then
    p_at := p_next;
    return;
  end if;
  v_hours := least(
    extract(epoch from p_next - p_at) / 3600, v_open / v_speed,
    (select min(l.room / l.drain) from unnest(p_room, v_drains) as l (room, drain) where l.drain > 0)
  );
  p_at := p_at + make_interval(secs => v_hours * 3600);
  p_rest := array(
    select z.rest * case when z.is_open then 1 - v_speed * v_hours / v_open else 1 end
    from unnest(p_rest, p_open) with ordinality as z (rest, is_open, place)
    order by z.place
  );
  p_room := array(
    select l.room - coalesce(l.drain, 0) * v_hours
    from unnest(p_room, v_drains) with ordinality as l (room, drain, place)
    order by l.place
  );
end;
$$;

comment on function retoma_internal.forecast_step(
  int[], double precision[], double precision, int[], boolean[], timestamptz, timestamptz, double precision[],
  double precision[]
) is
'What is left of the messages of each zone (p_rest) and of each limit (p_room) at the end of a stretch of sending, and
when that is (p_at). p_cap: messages per hour of the whole campaign; null: no cap.';
