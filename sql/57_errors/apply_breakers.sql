-- The channel comes before its campaigns in the order of locks. After a stop the counts of the batch begin anew: one
-- failure after the resume must not stop it again.
create or replace function retoma_internal.apply_breakers(
  p_batch retoma_internal.batch,
  p_channel retoma_internal.channel,
  p_failures jsonb,
  p_codes jsonb,
  p_now timestamptz
) returns retoma_internal.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch := p_batch;
  v_stopped boolean;
begin
  v_batch.failure_streak := v_batch.failure_streak + coalesce((p_failures ->> 'permanent_message')::int, 0);
  v_batch.doubt_streak := v_batch.doubt_streak + coalesce((p_failures ->> 'ambiguous')::int, 0);
  v_stopped := retoma_internal.count_failures(p_channel, p_failures, p_codes, p_now);
  if not v_stopped then
    v_stopped := retoma_internal.trip_breaker(v_batch, p_channel, p_codes);
  end if;
  if v_stopped then
    v_batch.failure_streak := 0;
    v_batch.doubt_streak := 0;
  end if;
  return v_batch;
end;
$$;

comment on function retoma_internal.apply_breakers(
  retoma_internal.batch, retoma_internal.channel, jsonb, jsonb, timestamptz
) is
'After errors: stops the channel or the campaign where too many came in a row. p_failures, p_codes: as in
count_failures. Returns the batch with its new counters, not yet written.';
