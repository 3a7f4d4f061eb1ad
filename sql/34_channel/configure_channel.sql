-- Changes what is given and keeps the rest. Locks the channel and its pacing row. A lease in progress gets the new
-- pacing at its next step, and new settings at its next batch.
create or replace function retoma.configure_channel(
  p_name text,
  p_settings jsonb default null,
  p_gap_min_s double precision default null,
  p_gap_max_s double precision default null,
  p_batch_gap_min_s double precision default null,
  p_batch_gap_max_s double precision default null,
  p_rate_per_s double precision default null,
  p_burst int default null,
  p_max_in_flight int default null,
  p_max_leases int default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel retoma_internal.channel := retoma_internal.find_channel(p_name);
  v_pacing retoma_internal.channel_pacing;
  v_settings jsonb;
begin
  -- Two transactions that configure one channel take turns here; the second reads what the first has set.
  select p.* into v_pacing from retoma_internal.channel_pacing as p where p.channel_id = v_channel.id for update;
  select c.* into v_channel from retoma_internal.channel as c where c.id = v_channel.id;
  v_settings := jsonb_strip_nulls(v_channel.settings || coalesce(p_settings, '{}'));
  perform retoma_internal.check_settings(v_channel.transport, v_settings);
  perform retoma_internal.check_dedupes(v_channel, v_settings);
  v_pacing.gap_min := coalesce(
    make_interval(secs => p_gap_min_s), least(v_pacing.gap_min, make_interval(secs => p_gap_max_s))
  );
  v_pacing.gap_max := coalesce(make_interval(secs => p_gap_max_s), greatest(v_pacing.gap_max, v_pacing.gap_min));
  v_pacing.batch_gap_min := coalesce(
    make_interval(secs => p_batch_gap_min_s), least(v_pacing.batch_gap_min, make_interval(secs => p_batch_gap_max_s))
  );
  v_pacing.batch_gap_max := coalesce(
    make_interval(secs => p_batch_gap_max_s), greatest(v_pacing.batch_gap_max, v_pacing.batch_gap_min)
  );
  v_pacing.rate_per_s := coalesce(p_rate_per_s, v_pacing.rate_per_s);
  if v_pacing.gap_max > '0 s' and greatest(p_max_in_flight, p_max_leases) > 1 then
    raise exception using errcode = 'RT003', constraint = 'gaps_allow_one',
      message = format('channel %L has gaps between messages, so only one can be under way', p_name),
      hint = 'Leave max_in_flight and max_leases at 1, or set the gaps to 0 and give a rate';
  end if;
  update retoma_internal.channel_pacing as p
  set
    gap_min = v_pacing.gap_min,
    gap_max = v_pacing.gap_max,
    batch_gap_min = v_pacing.batch_gap_min,
    batch_gap_max = v_pacing.batch_gap_max,
    rate_per_s = v_pacing.rate_per_s,
    burst = coalesce(p_burst, p.burst)
  where p.channel_id = v_channel.id;
  update retoma_internal.channel as c
  set
    settings = v_settings,
    dedupes = retoma_internal.setting_dedupes(c.transport, v_settings),
    looks_up = retoma_internal.setting_looks_up(c.transport, v_settings),
    max_in_flight = case when v_pacing.gap_max > '0 s' then 1 else coalesce(p_max_in_flight, c.max_in_flight) end,
    max_leases = case when v_pacing.gap_max > '0 s' then 1 else coalesce(p_max_leases, c.max_leases) end
  where c.id = v_channel.id;
exception
  when check_violation or numeric_value_out_of_range or datetime_field_overflow then
    raise exception using errcode = 'RT003', constraint = 'bad_values',
      message = format('these values do not fit channel %L: %s', p_name, sqlerrm),
      hint = 'Gaps are seconds, 0 <= min <= max <= 86400; rate, burst and in flight are greater than 0';
end;
$$;

comment on function retoma.configure_channel(
  text, jsonb, double precision, double precision, double precision, double precision, double precision,
  int, int, int
) is
'Changes a channel. What is null stays as it is. So do settings that p_settings does not name; a null in it removes a
setting. Parameters as in create_channel, and p_max_leases: batches leased at once (several runners on one fast
channel).
Errors: RT001 unknown channel, RT002 settings with which repeats would show twice while some are waiting, RT003 bad
value.';
