-- Applies the class of the error to its messages, their channel and their campaign. When a receipt has proved that an
-- earlier attempt was accepted, the message counts as sent, whatever this attempt says. Can lock the pacing of the
-- channel, or the channel and its campaigns.
create or replace function retoma_internal.apply_error(
  p_batch retoma_internal.batch,
  p_channel retoma_internal.channel,
  p_rule retoma.error_rule,
  p_max_attempts int,
  p_ordinals int[],
  p_http_status smallint,
  p_retry_after_s double precision,
  p_now timestamptz
) returns retoma_internal.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch := p_batch;
  v_ordinals int[] := p_ordinals;
  v_count int;
  v_counts int := (p_rule.counts_attempt and p_rule.class in ('transient', 'rate_limited_recipient', 'ambiguous'))::int;
  v_is_last boolean := p_batch.attempt >= retoma_internal.most_attempts();
  v_may_retry boolean := p_batch.attempts_counted + v_counts < p_max_attempts and not v_is_last;
  v_dedupes boolean := retoma_internal.content_kind(p_batch.campaign_id) = any(p_channel.dedupes)
    and p_batch.settings_version = p_channel.settings_version;
  v_maybe_sent boolean := p_batch.maybe_sent or p_rule.class = 'ambiguous';
  v_outcome text;
begin
  v_outcome := case
    when p_rule.class in ('rate_limited_channel', 'campaign_down', 'channel_down', 'auth') and not v_is_last
      then 'requeued'
    when p_rule.class = 'ambiguous' then case when v_dedupes and v_may_retry then 'requeued' else 'in_doubt' end
    when p_rule.class in ('transient', 'rate_limited_recipient') and v_may_retry then 'requeued'
    -- A refusal of this attempt, even a permanent one, says nothing about an earlier attempt: a receiver that already
    -- has the message refuses it the second time.
    when p_batch.maybe_sent then 'in_doubt'
    else 'failed'
  end;
  if p_batch.attempt > 1 then
    v_ordinals := array(
      select u.ordinal from unnest(p_ordinals) as u (ordinal)
      where not retoma_internal.has_arrived(v_batch.campaign_id, u.ordinal)
    );
    v_batch := retoma_internal.settle_without_sending(
      v_batch, array(select u.ordinal from unnest(p_ordinals) as u (ordinal) where u.ordinal <> all(v_ordinals)),
      'sent', 'receipt', p_now
    );
  end if;
  v_count := cardinality(v_ordinals);
  insert into retoma_internal.delivery (
    at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome, code, http_status,
    settings_version
  )
  select
    p_now, v_batch.id, v_batch.campaign_id, u.ordinal, p_channel.id, v_batch.lease_epoch, v_batch.attempt, v_outcome,
    p_rule.code, p_http_status, case
      when v_outcome = 'in_doubt' or p_rule.class = 'ambiguous' then v_batch.settings_version
    end
  from unnest(v_ordinals) as u (ordinal);
  if v_outcome = 'requeued' then
    v_batch.requeued := v_batch.requeued + v_count;
    perform retoma_internal.queue_retry(
      v_batch, v_ordinals, v_counts, retoma_internal.retry_delay(p_rule, v_batch, p_retry_after_s),
      p_maybe_sent => v_maybe_sent, p_needs_dedupe => v_batch.needs_dedupe or p_rule.class = 'ambiguous',
      p_channel_id => case when v_maybe_sent then p_channel.id end
    );
  elsif v_outcome = 'failed' then
    v_batch.failed := v_batch.failed + v_count;
  else
    v_batch.in_doubt := v_batch.in_doubt + v_count;
  end if;
  if p_rule.class = 'rate_limited_channel' then
    perform retoma_internal.hold_channel(p_channel.id, p_rule, p_retry_after_s, p_now);
  elsif p_rule.class in ('channel_down', 'auth') then
    perform retoma.channel_disconnected(p_channel.name, format('%s: %s', p_rule.class, p_rule.code));
  end if;
  return v_batch;
end;
$$;

comment on function retoma_internal.apply_error(
  retoma_internal.batch, retoma_internal.channel, retoma.error_rule, int, int[], smallint, double precision, timestamptz
) is
'Records one group of equal errors; its numbers are suppressed by the caller. p_retry_after_s: seconds that the provider
asked for; null: not said. Returns the batch with its new counters, not yet written.';
