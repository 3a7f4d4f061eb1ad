-- One event, such as a restart of the provider, can end all messages that are under way. So these count as one. The
-- caller holds the pacing row of the channel. Can lock the channel and its campaigns.
create or replace function retoma_internal.count_failures(
  p_channel retoma_internal.channel, p_failures jsonb, p_codes jsonb, p_now timestamptz
) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_counts jsonb;
  v_trip record;
begin
  update retoma_internal.channel_pacing as p
  set failures = p.failures || (
    select jsonb_object_agg(f.key, least(f.value::int + coalesce((p.failures ->> f.key)::int, 0), 1000000))
    from jsonb_each_text(p_failures) as f
  )
  where p.channel_id = p_channel.id
  returning p.failures into v_counts;
  select b.action, (v_counts ->> b.failure)::int as count, p_codes ->> b.failure as code into v_trip
  from retoma.breaker as b
  where p_failures ? b.failure
    and (v_counts ->> b.failure)::int >= b.threshold + p_channel.max_in_flight * p_channel.max_leases - 1
  order by b.action = 'pause' desc, b.failure
  limit 1;
  if v_trip.action = 'pause' then
    perform retoma_internal.stop_channel(
      p_channel.name, format('%s messages in a row were not accepted, the last with %s', v_trip.count, v_trip.code)
    );
  elsif v_trip.action = 'hold' then
    update retoma_internal.channel_pacing as p
    set
      hold_until = p_now + make_interval(secs => least(4 ^ (p.hold_streak + 1), 3600)),
      hold_reason = format('%s messages in a row were not taken, the last with %s', v_trip.count, v_trip.code),
      hold_streak = least(p.hold_streak + 1, 6)
    where p.channel_id = p_channel.id and p.hold_until <= p_now;
  end if;
  return coalesce(v_trip.action = 'pause', false);
end;
$$;

comment on function retoma_internal.count_failures(retoma_internal.channel, jsonb, jsonb, timestamptz) is
'Counts failures of a channel, and stops it as breaker says. p_failures: how many of each class, {"ambiguous": 3};
p_codes: the last error of each class. Returns whether the channel is paused now.';
