-- One group of equal errors at a time. Locks the pacing of the channel, then the numbers that are invalid; can lock the
-- channel, and campaigns. The groups come in the order of these locks (see install.sql). An error that does not count
-- as an attempt is no failure of the provider, so it does not count towards a breaker either.
create or replace function retoma_internal.record_errors(
  p_batch retoma_internal.batch, p_outcomes jsonb, p_context retoma_internal.step_context
) returns retoma_internal.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch := p_batch;
  v_channel retoma_internal.channel;
  v_max_attempts int;
  v_failures jsonb := '{}'::jsonb;
  v_codes jsonb := '{}'::jsonb;
  v_count int;
  v_group record;
begin
  -- Whether the channel dedupes is read under this lock, which configure_channel takes first: it must see the repeats
  -- that are queued here, or be seen.
  perform from retoma_internal.channel_pacing as p where p.channel_id = v_batch.lease_channel_id for update;
  perform retoma_internal.await_receipts(
    v_batch, array(select (o.item ->> 'ordinal')::int from jsonb_array_elements(p_outcomes) as o (item))
  );
  select c.* into v_channel from retoma_internal.channel as c where c.id = v_batch.lease_channel_id;
  select c.max_attempts into v_max_attempts from retoma_internal.campaign as c where c.id = v_batch.campaign_id;
  perform retoma_internal.suppress_messages(
    array_agg(v_batch.campaign_id), array_agg(u.ordinal), array_agg(v_channel.transport || ' ' || (g.rule).code)
  )
  from retoma_internal.error_groups(v_batch, v_channel.transport, p_outcomes) as g, unnest(g.ordinals) as u (ordinal)
  where (g.rule).suppress;
  for v_group in
    select g.* from retoma_internal.error_groups(v_batch, v_channel.transport, p_outcomes) as g
  loop
    v_batch := retoma_internal.apply_error(
      v_batch, v_channel, v_group.rule, v_max_attempts, v_group.ordinals, v_group.http_status, v_group.retry_after_s,
      p_context.at
    );
    if (v_group.rule).counts_attempt or (v_group.rule).class = 'campaign_down' then
      v_codes := v_codes || jsonb_build_object((v_group.rule).class, coalesce((v_group.rule).code, 'no code'));
      v_count := cardinality(v_group.ordinals) + coalesce((v_failures ->> (v_group.rule).class)::int, 0);
      v_failures := v_failures || jsonb_build_object((v_group.rule).class, v_count);
    end if;
  end loop;
  if v_failures <> '{}' then
    v_batch := retoma_internal.apply_breakers(v_batch, v_channel, v_failures, v_codes, p_context.at);
  end if;
  return v_batch;
end;
$$;

comment on function retoma_internal.record_errors(retoma_internal.batch, jsonb, retoma_internal.step_context) is
'Records the errors among p_outcomes by their rules. Returns the batch with its new counters, not yet written.';
