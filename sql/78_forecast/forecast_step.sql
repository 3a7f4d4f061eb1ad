-- A stretch of time that ends at p_next, or earlier when the open zones or a limit are used up. With
-- several zones open, each gets its share. Limits that are used up within five minutes of each other end one stretch:
-- with one for each of 1,000 channels, there would be 1,000 stretches a day.
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
  v_speed double precision := least((select sum(s.speed) from unnest(p_speeds) as s (speed)), p_cap);
  v_open double precision := (select sum(z.rest) from unnest(p_rest, p_open) as z (rest, is_open) where z.is_open);
  v_hours double precision := least(
    extract(epoch from p_next - p_at) / 3600, v_open / nullif(v_speed, 0), greatest(1.0 / 12, coalesce((
      select min(l.room / nullif(coalesce(s.speed, v_speed), 0))
      from unnest(p_limit_of, p_room) as l (channel_id, room)
      left join unnest(p_channel_ids, p_speeds) as s (channel_id, speed) on l.channel_id = s.channel_id
    ), 'infinity'))
  );
  v_sent double precision[] := array(
    select least(s.speed * v_hours, l.room)
    from unnest(p_channel_ids, p_speeds) with ordinality as s (channel_id, speed, place)
    left join (
      select r.channel_id, min(r.room) as room from unnest(p_limit_of, p_room) as r (channel_id, room) group by 1
    ) as l on s.channel_id = l.channel_id
    order by s.place
  );
  v_able double precision := (select sum(s.sent) from unnest(v_sent) as s (sent));
  v_total double precision := least(
    v_able, v_speed * v_hours, v_open,
    (select min(l.room) from unnest(p_limit_of, p_room) as l (channel_id, room) where l.channel_id = 0)
  );
begin
  if v_speed = 0 or coalesce(v_open, 0) < 0.001 then
    p_at := p_next;
    return;
  end if;
  p_at := p_at + make_interval(secs => v_hours * 3600);
  p_rest := array(
    select z.rest * case when z.is_open then 1 - v_total / v_open else 1 end
    from unnest(p_rest, p_open) with ordinality as z (rest, is_open, place)
    order by z.place
  );
  p_room := array(
    select l.room - case when l.channel_id = 0 then v_total else s.sent * v_total / v_able end
    from unnest(p_limit_of, p_room) with ordinality as l (channel_id, room, place)
    left join unnest(p_channel_ids, v_sent) as s (channel_id, sent) on l.channel_id = s.channel_id
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
