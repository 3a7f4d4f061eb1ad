-- Messages in a row that failed for their content stop their campaign, others the channel. Refusals
-- that mean the recipient or the account have a threshold of their own. Locks the channel and its campaigns, or the
-- campaign.
create or replace function retoma_internal.stop_after_failures_in_a_row(
  p_channel retoma_internal.channel, p_failed retoma_internal.delivery[], p_from timestamptz
) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_last record;
begin
  select
    f.campaign_id, f.at, r.class, format(
      '%s messages in a row were accepted and then reported as failed, one of them with %s', b.threshold,
      coalesce(f.code, 'no code')
    ) as reason
  into v_last
  from unnest(p_failed) as f
  inner join retoma_internal.campaign as c on f.campaign_id = c.id
  cross join lateral retoma_internal.classify(p_channel.transport, f.code, p_written => true) as r
  inner join retoma.breaker as b
    on b.failure = 'failed_receipt' or b.failure = 'recipient_or_account' and r.class = b.failure
  where (r.class <> 'permanent_message' or c.status = 'running' and c.resumed_at < f.at)
    and retoma_internal.failed_in_a_row(
      f, greatest(p_from, c.resumed_at), b.threshold, p_channel.transport, nullif(b.failure, 'failed_receipt')
    ) >= b.threshold
  order by b.threshold
  limit 1;
  if not found then
    return false;
  elsif v_last.class = 'permanent_message' then
    return retoma_internal.interrupt_by_breaker(v_last.campaign_id, v_last.reason, v_last.at);
  end if;
  perform retoma_internal.stop_channel(p_channel.name, v_last.reason);
  return true;
end;
$$;

comment on function retoma_internal.stop_after_failures_in_a_row(
  retoma_internal.channel, retoma_internal.delivery[], timestamptz
) is
'Stops a channel or a campaign when one of p_failed was sent among as many failures in a row as breaker says. p_from:
what the channel sent before does not count. Returns whether it stopped one.';
