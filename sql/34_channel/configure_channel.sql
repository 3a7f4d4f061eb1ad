-- Locks the pacing of the channel, then the channel. A leased batch gets the new pacing at its next step; new settings
-- apply from the next lease.
create or replace function retoma.configure_channel(
  p_channel text, p_settings jsonb default '{}', p_pacing jsonb default '{}'
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_id int;
  v_old retoma_internal.channel;
  v_new retoma_internal.channel;
  v_pacing retoma_internal.channel_pacing;
begin
  v_id := (retoma_internal.find_channel(p_channel)).id;
  perform retoma_internal.check_patch('pacing rules', p_pacing, retoma_internal.pacing_keys());
  -- Two transactions that configure one channel take turns here. The second reads what the first has set.
  select p.* into v_pacing from retoma_internal.channel_pacing as p where p.channel_id = v_id for update;
  select c.* into v_old from retoma_internal.channel as c where c.id = v_id;
  v_pacing := retoma_internal.patched_pacing(v_pacing, p_pacing);
  v_new := retoma_internal.patched_channel(v_old, p_settings, p_pacing);
  perform retoma_internal.check_under_way(v_new, v_pacing.gap_max);
  perform retoma_internal.check_repeats(v_old, v_new);
  update retoma_internal.channel_pacing as p
  set
    gap_min = v_pacing.gap_min,
    gap_max = v_pacing.gap_max,
    batch_gap_min = v_pacing.batch_gap_min,
    batch_gap_max = v_pacing.batch_gap_max,
    rate_per_s = v_pacing.rate_per_s,
    burst = v_pacing.burst
  where p.channel_id = v_id;
  update retoma_internal.channel as c
  set
    settings = v_new.settings,
    settings_version = v_new.settings_version,
    dedupes = v_new.dedupes,
    id_taken = v_new.id_taken,
    id_ignored = v_new.id_ignored,
    looks_up = v_new.looks_up,
    max_in_flight = v_new.max_in_flight,
    max_leases = v_new.max_leases
  where c.id = v_id;
  -- Each runner judges the new settings anew.
  delete from retoma_internal.channel_refusal as f where f.channel_id = v_id;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.configure_channel(text, jsonb, jsonb) is
'Changes a channel by two patches, with the keys of create_channel. A key that is not named stays as it is. Null removes
a value: a setting gets the default of its transport; pacing gets no gap, no rate, one request under way, one lease, and
a burst of one second''s messages.
With another address, give the secrets again, or null for each: none follows by itself.
Errors: RT001 unknown channel, RT002 it must send messages again that the new settings would not dedupe, or would send
to another provider, RT003 bad value.';
