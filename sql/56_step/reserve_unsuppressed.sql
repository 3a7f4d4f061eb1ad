-- Suppressed numbers are recorded as skipped, or as in doubt when an earlier attempt may have arrived. Messages that a
-- receipt has proved sent are recorded as sent. A message without a row, which was removed by hand, fails: a lease that
-- waited for its outcome would never end. The others are handed out. One plan serves every campaign and is kept.
-- It locks every partition of message: with 100 of them (10,000 campaigns) this costs 56 us per call, and a new plan
-- for each call would cost 187. Always nested loops, because a plan that was made while the suppression list was short
-- must be right when it is long. Locks earlier deliveries of these messages, when there can be some.
create or replace function retoma_internal.reserve_unsuppressed(
  p_batch retoma_internal.batch,
  p_ordinals int[],
  p_context retoma_internal.step_context,
  out batch retoma_internal.batch,
  out got int,
  out messages json
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set enable_hashjoin to off
set enable_mergejoin to off
as $$
declare
  v_arrived int[] := array[]::int[];
  v_suppressed int[];
  v_missing int[];
begin
  batch := p_batch;
  batch.reserved := batch.reserved + cardinality(p_ordinals);
  if batch.attempt > 1 then
    perform retoma_internal.await_receipts(batch, p_ordinals);
    v_arrived := array(
      select u.ordinal from unnest(p_ordinals) as u (ordinal)
      where retoma_internal.has_arrived(p_batch.campaign_id, u.ordinal)
    );
    batch := retoma_internal.settle_without_sending(batch, v_arrived, 'sent', 'receipt', p_context.at);
  end if;
  select
    json_agg(
      json_build_array(m.ordinal, retoma_internal.message_id(p_context.token, m.ordinal), m.phone, m.variables)
      order by m.ordinal
    ) filter (where s.suppression_key is null),
    count(*) filter (where s.suppression_key is null),
    array_agg(m.ordinal) filter (where s.suppression_key is not null)
  into messages, got, v_suppressed
  from retoma_internal.message as m
  left join retoma_internal.suppression as s on s.suppression_key = retoma_internal.suppression_key(m.phone)
  where m.campaign_id = p_batch.campaign_id and m.ordinal = any(p_ordinals) and m.ordinal <> all(v_arrived);
  if got + coalesce(cardinality(v_suppressed), 0) + cardinality(v_arrived) < cardinality(p_ordinals) then
    v_missing := array(
      select u.ordinal from unnest(p_ordinals) as u (ordinal)
      where u.ordinal <> all(v_arrived) and not exists (
        select from retoma_internal.message as m where m.campaign_id = p_batch.campaign_id and m.ordinal = u.ordinal
      )
    );
    batch := retoma_internal.settle_without_sending(
      batch, v_missing, case when batch.maybe_sent then 'in_doubt' else 'failed' end, 'message_missing', p_context.at
    );
  end if;
  if v_suppressed is not null then
    batch := retoma_internal.settle_without_sending(
      batch, v_suppressed, case when batch.maybe_sent then 'in_doubt' else 'skipped' end, 'suppressed', p_context.at
    );
  end if;
end;
$$;

comment on function retoma_internal.reserve_unsuppressed(retoma_internal.batch, int[], retoma_internal.step_context) is
'Moves the high-water mark of the batch over p_ordinals, its next messages. got: how many of them are to be sent;
messages: these, as in advance_batch; null when there are none.';
