-- The smallest rate is about one message a day.
create or replace function retoma_internal.patched_pacing(
  p_pacing retoma_internal.channel_pacing, p_patch jsonb
) returns retoma_internal.channel_pacing
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_new retoma_internal.channel_pacing := p_pacing;
begin
  v_new.gap_min := retoma_internal.patched_gap(p_patch, 'gap_min_s', v_new.gap_min);
  v_new.gap_max := retoma_internal.patched_gap(p_patch, 'gap_max_s', v_new.gap_max);
  perform retoma_internal.check_gap(p_patch, 'gap', v_new.gap_min, v_new.gap_max);
  v_new.batch_gap_min := retoma_internal.patched_gap(p_patch, 'batch_gap_min_s', v_new.batch_gap_min);
  v_new.batch_gap_max := retoma_internal.patched_gap(p_patch, 'batch_gap_max_s', v_new.batch_gap_max);
  perform retoma_internal.check_gap(p_patch, 'batch_gap', v_new.batch_gap_min, v_new.batch_gap_max);
  if p_patch ? 'rate_per_s' then
    v_new.rate_per_s := retoma_internal.patch_number(p_patch, 'rate_per_s', 0.00001, 100000);
  end if;
  if p_patch ? 'burst' then
    v_new.burst := coalesce(
      retoma_internal.patch_int(p_patch, 'burst', 1, 1000000), ceil(v_new.rate_per_s)::int, 1
    );
  end if;
  return v_new;
end;
$$;

comment on function retoma_internal.patched_pacing(retoma_internal.channel_pacing, jsonb) is
'The pacing of a channel after this patch. Error RT003 when a value is of the wrong type or out of range.';
