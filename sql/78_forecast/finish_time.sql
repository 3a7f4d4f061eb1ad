-- Plays the sending through in memory, from one change to the next: a window opens or closes, the period of a limit
-- ends, a channel may send again, something is used up. Messages are a fluid here, so 0.001 of one is none. Without
-- nested loops, because a campaign can have thousands of channels with a limit each.
create or replace function retoma_internal.finish_time(
  p_campaign retoma_internal.campaign, p_from timestamptz, out finishes_at timestamptz, out is_bounded boolean
)
language plpgsql stable
set search_path to pg_catalog, pg_temp
set enable_nestloop to off
as $$
declare
  c_horizon constant timestamptz := p_from + interval '2 years';
  v_at timestamptz := p_from;
  v_cap double precision := least(
    retoma_internal.checks_per_hour(p_campaign),
    (
      select min(retoma_internal.limit_per_hour(l)) from retoma_internal.limit_rule as l
      where l.scope = 'campaign' and l.subject_id = p_campaign.id
    )
  );
  v_zones text[];
  v_rest double precision[];
  v_open boolean[];
  v_changes timestamptz[];
  v_channels int[];
  v_per_hour double precision[];
  v_free_at timestamptz[];
  v_speeds double precision[];
  v_limits int[];
  v_limit_of int[];
  v_room double precision[];
  v_ends timestamptz[];
  v_next timestamptz;
begin
  select array_agg(a.zone), array_agg(a.messages_left), array_agg(false), array_agg('-infinity'::timestamptz)
  into v_zones, v_rest, v_open, v_changes from retoma_internal.forecast_audience(p_campaign) as a;
  select array_agg(s.channel_id), array_agg(s.per_hour), array_agg(s.free_at)
  into v_channels, v_per_hour, v_free_at from retoma_internal.forecast_senders(p_campaign) as s;
  is_bounded := v_cap is not null or retoma_internal.unpaced_per_hour() <> all(v_per_hour);
  select array_agg(l.id), array_agg(l.limit_of), array_agg(l.room), array_agg(l.ends_at)
  into v_limits, v_limit_of, v_room, v_ends from retoma_internal.forecast_rules(p_campaign.id, v_channels) as l;
  while v_at < c_horizon loop
    if not exists (select from unnest(v_rest) as z (rest) where z.rest >= 0.001) then
      finishes_at := v_at;
      return;
    end if;
    select w.p_open, w.p_changes into v_open, v_changes
    from retoma_internal.forecast_windows(p_campaign.id, v_zones, v_at, v_open, v_changes) as w;
    select l.p_room, l.p_ends into v_room, v_ends
    from retoma_internal.forecast_limits(v_limits, v_at, v_room, v_ends) as l;
    v_speeds := retoma_internal.forecast_speeds(v_channels, v_per_hour, v_free_at, v_limit_of, v_room, v_at);
    v_next := (
      select min(u.at) from unnest(v_changes || v_ends || v_free_at || c_horizon) as u (at) where u.at > v_at
    );
    select s.p_at, s.p_rest, s.p_room, is_bounded or s.p_rest = v_rest into v_at, v_rest, v_room, is_bounded
    from retoma_internal.forecast_step(
      v_channels, v_speeds, v_cap, v_limit_of, v_open, v_next, v_at, v_rest, v_room
    ) as s;
  end loop;
end;
$$;

comment on function retoma_internal.finish_time(retoma_internal.campaign, timestamptz) is
'When a campaign ends if it sends from p_from on, by the pacing of its channels, the checks of its
numbers, its windows and all limits; null: not
within two years. is_bounded: pacing, windows or limits decide when; false: only the speed of the provider does.';
