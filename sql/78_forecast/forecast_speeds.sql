create or replace function retoma_internal.forecast_speeds(
  p_channel_ids int[],
  p_per_hour double precision[],
  p_free_at timestamptz[],
  p_limit_of int[],
  p_room double precision[],
  p_at timestamptz
) returns double precision[]
language sql immutable
begin atomic
  with used_up as materialized (
    select distinct l.channel_id from unnest(p_limit_of, p_room) as l (channel_id, room) where l.room < 0.001
  )

  select array_agg(
    case
      when s.free_at > p_at or u.channel_id is not null then 0
      when exists (select from used_up as c where c.channel_id = 0) then 0
      else s.per_hour
    end order by s.place
  )
  from unnest(p_channel_ids, p_per_hour, p_free_at) with ordinality as s (channel_id, per_hour, free_at, place)
  left join used_up as u on s.channel_id = u.channel_id;
end;

comment on function retoma_internal.forecast_speeds(
  int[], double precision[], timestamptz[], int[], double precision[], timestamptz
) is
'Messages per hour of each channel at p_at: 0 before p_free_at, and while a limit has no room. p_limit_of: the channel
of each limit; 0 for those of the campaign.';
