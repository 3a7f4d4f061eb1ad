-- error_rule says what an error means, whether it comes with the answer or by receipt. A repeated receipt is no news,
-- and one about a message that was sent before the channel was last resumed does not stop it again.
--
-- Locks the channel, and its campaigns. So all these deliveries are of one channel.
create or replace function retoma_internal.stop_after_receipts(p_failed retoma_internal.delivery[]) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel retoma_internal.channel;
  v_from timestamptz;
  v_breaker retoma.breaker;
  v_down retoma.error_rule;
  v_code text;
begin
  select c.* into v_channel from retoma_internal.channel as c where c.id = p_failed[1].channel_id;
  v_from := (select p.failures_from from retoma_internal.channel_pacing as p where p.channel_id = v_channel.id);
  perform retoma_internal.suppress_messages(
    f.campaign_id, array_agg(f.ordinal), 'invalid', v_channel.transport || ' ' || f.code
  )
  from unnest(p_failed) as f
  where (retoma_internal.classify(v_channel.transport, f.code, p_written => true)).suppress
  group by f.campaign_id, f.code
  order by f.campaign_id, f.code;
  if not v_channel.connected or v_channel.paused then
    return false;
  end if;
  select r.* into v_down
  from unnest(p_failed) as f
  cross join lateral retoma_internal.classify(v_channel.transport, f.code, p_written => true) as r
  where f.at > v_from and r.class in ('channel_down', 'auth')
  limit 1;
  if found then
    perform retoma.channel_disconnected(v_channel.name, format('%s: %s', v_down.class, v_down.code));
    return true;
  end if;
  select b.* into v_breaker from retoma.breaker as b where b.failure = 'failed_receipt';
  select coalesce(f.code, 'no code') into v_code
  from unnest(p_failed) as f
  where retoma_internal.failed_in_a_row(f, v_from, v_breaker.threshold) >= v_breaker.threshold
  limit 1;
  if not found then
    return false;
  end if;
  perform retoma.pause_channel(v_channel.name, format(
    '%s messages in a row were accepted and then reported as failed, one of them with %s', v_breaker.threshold, v_code
  ));
  return true;
end;
$$;

comment on function retoma_internal.stop_after_receipts(retoma_internal.delivery[]) is
'What follows from failures that were reported by receipt: suppressed numbers, and a channel that is disconnected or
paused. Returns whether it stopped the channel.';
