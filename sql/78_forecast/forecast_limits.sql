-- A rolling period is played as periods that follow each other: the same average, and never more in one period.
create or replace function retoma_internal.forecast_limits(
  p_limit_ids int[], p_at timestamptz, inout p_room double precision[], inout p_ends timestamptz[]
)
language sql stable
begin atomic
  select
    array_agg(case when r.ends_at > p_at then r.room else l.maximum end order by r.place),
    array_agg(
      case when r.ends_at > p_at then r.ends_at
        else coalesce(p_at + l.rolling, retoma_internal.limit_ends(l, p_at))
      end order by r.place
    )
  from unnest(p_limit_ids, p_room, p_ends) with ordinality as r (id, room, ends_at, place)
  inner join retoma_internal.limit_rule as l on r.id = l.id;
end;

comment on function retoma_internal.forecast_limits(int[], timestamptz, double precision[], timestamptz[]) is
'How many messages each limit still allows at p_at, and when its period ends. A period that is over is followed by the
next one.';
