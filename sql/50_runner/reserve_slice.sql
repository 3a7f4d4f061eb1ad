-- The next p_count positions of a batch: suppressed numbers are recorded as skipped (in doubt, where an earlier attempt may have
-- arrived), messages that a receipt has proved sent as sent, and the rest is handed out.
create or replace function retoma.reserve_slice(
  p_batch retoma.batch, p_count int, p_now timestamptz, out batch retoma.batch, out got int, out messages json
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_custom_plan
as $$
declare
  v_ordinals int[] := retoma.batch_ordinals(p_batch, p_batch.reserved + 1, p_batch.reserved + p_count);
  v_token text := (select c.token from retoma.campaign as c where c.id = p_batch.campaign_id);
  v_settled record;
begin
  batch := p_batch;
  batch.reserved := batch.reserved + cardinality(v_ordinals);
  with chosen as materialized (
    select
      m.ordinal, m.phone, m.variables,
      case
        when p_batch.maybe_sent and retoma.has_arrived(m.campaign_id, m.ordinal) then 'sent'
        when s.match_key is not null and p_batch.maybe_sent then 'in_doubt'
        when s.match_key is not null then 'skipped'
      end as settled
    from retoma.message as m
    left join retoma.suppression as s on s.match_key = retoma.match_key(m.phone)
    where m.campaign_id = p_batch.campaign_id and m.ordinal = any(v_ordinals)
  ),
  settled as (
    insert into retoma.delivery (at, batch_id, campaign_id, ordinal, channel_id, lease_epoch, attempt, outcome, code)
    select
      p_now, p_batch.id, p_batch.campaign_id, c.ordinal, p_batch.lease_channel_id, p_batch.lease_epoch, p_batch.attempt,
      c.settled, case c.settled when 'sent' then 'receipt' else 'suppressed' end
    from chosen as c
    where c.settled is not null
    returning outcome
  )
  select
    (select json_agg(json_build_array(c.ordinal, retoma.message_id(v_token, c.ordinal), c.phone, c.variables) order by c.ordinal)
     from chosen as c where c.settled is null) as messages,
    (select count(*) from chosen as c where c.settled is null) as got,
    count(*) filter (where s.outcome = 'skipped') as skipped,
    count(*) filter (where s.outcome = 'in_doubt') as in_doubt,
    count(*) filter (where s.outcome = 'sent') as sent
  into v_settled
  from settled as s;
  batch.skipped := batch.skipped + v_settled.skipped;
  batch.in_doubt := batch.in_doubt + v_settled.in_doubt;
  batch.sent := batch.sent + v_settled.sent;
  got := v_settled.got;
  messages := v_settled.messages;
end;
$$;

comment on function retoma.reserve_slice(retoma.batch, int, timestamptz) is 'Moves the high-water mark over p_count positions.';
