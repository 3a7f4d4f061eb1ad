-- error_rule says what an error means, whether it comes with the answer or by receipt. A repeated receipt is no news,
-- and one about a message that was sent before the channel or the campaign was last resumed does not stop it again.
-- One thing is stopped at a time: what is left of the trouble shows in later receipts.
--
-- Locks the numbers that are invalid, then the channel, and its campaigns. So all these deliveries are of one channel.
create or replace function retoma_internal.stop_after_receipts(p_failed retoma_internal.delivery[]) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel retoma_internal.channel;
  v_from timestamptz;
  v_down retoma.error_rule;
  v_last record;
begin
  select c.* into v_channel from retoma_internal.channel as c where c.id = p_failed[1].channel_id;
  v_from := (select p.failures_from from retoma_internal.channel_pacing as p where p.channel_id = v_channel.id);
  perform retoma_internal.suppress_messages(
    array_agg(f.campaign_id), array_agg(f.ordinal), array_agg(v_channel.transport || ' ' || f.code)
  )
  from unnest(p_failed) as f
  where (retoma_internal.classify(v_channel.transport, f.code, p_written => true)).suppress;
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
  select f.campaign_id, f.at, r.code into v_last
  from unnest(p_failed) as f
  inner join retoma_internal.campaign as c
    on f.campaign_id = c.id and c.status = 'running' and f.at > c.resumed_at
  cross join lateral retoma_internal.classify(v_channel.transport, f.code, p_written => true) as r
  where r.class = 'campaign_down'
  order by f.at desc
  limit 1;
  -- When another transaction has stopped it meanwhile, its row is locked here, so the channel cannot be any more.
  if found then
    return retoma_internal.interrupt_by_breaker(
      v_last.campaign_id, retoma_internal.campaign_down_in_words(v_channel.transport, v_last.code), v_last.at
    );
  end if;
  return retoma_internal.stop_after_failures_in_a_row(v_channel, p_failed, v_from);
end;
$$;

comment on function retoma_internal.stop_after_receipts(retoma_internal.delivery[]) is
'What follows from failures that were reported by receipt: suppressed numbers, a channel that is disconnected or
paused, a campaign that is interrupted. Returns whether it stopped one.';
