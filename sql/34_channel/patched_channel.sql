create or replace function retoma_internal.patched_channel(
  p_channel retoma_internal.channel, p_settings jsonb, p_pacing jsonb
) returns retoma_internal.channel
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_new retoma_internal.channel := p_channel;
begin
  v_new.settings := retoma_internal.patched_settings(p_channel, p_settings);
  if retoma_internal.provider_of(v_new) <> retoma_internal.provider_of(p_channel) then
    v_new.id_taken := '{}';
    v_new.id_ignored := '{}';
  end if;
  v_new.dedupes := retoma_internal.deduped_kinds(v_new);
  v_new.looks_up := retoma_internal.looks_up(v_new.transport, v_new.settings);
  v_new.max_in_flight := retoma_internal.patched_count(p_pacing, 'max_in_flight', 10000, v_new.max_in_flight);
  v_new.max_leases := retoma_internal.patched_count(p_pacing, 'max_leases', 64, v_new.max_leases);
  if (v_new.dedupes, v_new.looks_up) is distinct from (p_channel.dedupes, p_channel.looks_up)
    or retoma_internal.provider_of(v_new) <> retoma_internal.provider_of(p_channel)
  then
    v_new.settings_version := v_new.settings_version + 1;
  end if;
  return v_new;
end;
$$;

comment on function retoma_internal.patched_channel(retoma_internal.channel, jsonb, jsonb) is
'A channel after its two patches, not yet written; the version grows with a new provider or new promises. Error RT003: a
bad setting or a bad count.';
