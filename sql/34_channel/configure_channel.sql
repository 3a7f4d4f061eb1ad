-- Locks the pacing of the channel, then the channel. A leased batch gets the new pacing at its next step; new settings
-- apply from the next lease.
create or replace function retoma.configure_channel(
  p_channel text, p_settings jsonb default '{}', p_pacing jsonb default '{}'
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel retoma_internal.channel := retoma_internal.find_channel(p_channel);
  v_pacing retoma_internal.channel_pacing;
begin
  perform retoma_internal.check_patch('pacing rules', p_pacing, retoma_internal.pacing_keys());
  -- Two transactions that configure one channel take turns here. The second reads what the first has set.
  select p.* into v_pacing from retoma_internal.channel_pacing as p where p.channel_id = v_channel.id for update;
  select c.* into v_channel from retoma_internal.channel as c where c.id = v_channel.id;
  v_pacing := retoma_internal.patched_pacing(v_pacing, p_pacing);
  v_channel.settings := retoma_internal.patched_settings(v_channel, p_settings);
  v_channel.max_in_flight := retoma_internal.patched_count(p_pacing, 'max_in_flight', 10000, v_channel.max_in_flight);
  v_channel.max_leases := retoma_internal.patched_count(p_pacing, 'max_leases', 64, v_channel.max_leases);
  perform retoma_internal.check_under_way(v_channel, v_pacing.gap_max);
  perform retoma_internal.check_dedupes(
    v_channel, retoma_internal.deduped_kinds(v_channel.transport, v_channel.settings)
  );
  update retoma_internal.channel_pacing as p
  set
    gap_min = v_pacing.gap_min,
    gap_max = v_pacing.gap_max,
    batch_gap_min = v_pacing.batch_gap_min,
    batch_gap_max = v_pacing.batch_gap_max,
    rate_per_s = v_pacing.rate_per_s,
    burst = v_pacing.burst
  where p.channel_id = v_channel.id;
  update retoma_internal.channel as c
  set
    settings = v_channel.settings,
    dedupes = retoma_internal.deduped_kinds(c.transport, v_channel.settings),
    looks_up = retoma_internal.looks_up(c.transport, v_channel.settings),
    max_in_flight = v_channel.max_in_flight,
    max_leases = v_channel.max_leases
  where c.id = v_channel.id;
end;
$$;

comment on function retoma.configure_channel(text, jsonb, jsonb) is
'Changes a channel by two patches, with the keys of create_channel. A key that is not named stays as it is. Null removes
a value: a setting gets the default of its transport; pacing gets no gap, no rate, one request under way, one lease, and
a burst of one second''s messages.
Errors: RT001 unknown channel, RT002 it must send messages again that the new settings would not dedupe, RT003 bad
value.';
