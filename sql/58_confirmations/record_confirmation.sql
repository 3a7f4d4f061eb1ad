-- Locks the pacing row, then the confirmation; can lock the channel and its campaigns. What is recorded already stays:
-- a call that lost its reply is made again. Failures count towards no breaker, because few confirmations say little.
create or replace function retoma.record_confirmation(p_confirmation_id bigint, p_outcome jsonb) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_now timestamptz := retoma.clock();
  v_channel retoma_internal.channel;
  v_rule retoma.error_rule;
  v_accepted boolean := p_outcome ->> 'status' in ('accepted', 'held');
begin
  perform retoma_internal.insist_on_read_committed();
  perform retoma_internal.check_confirmation_outcome(p_outcome);
  select h.* into v_channel
  from retoma_internal.confirmation as c
  inner join retoma_internal.channel as h on c.channel_id = h.id
  where c.id = p_confirmation_id;
  perform from retoma_internal.channel_pacing as p where p.channel_id = v_channel.id for update;
  if not v_accepted then
    v_rule := retoma_internal.classify(
      v_channel.transport, coalesce(p_outcome ->> 'code', 'no code'), p_written => (p_outcome ->> 'written')::boolean
    );
  end if;
  update retoma_internal.confirmation as c
  set
    state = case when v_accepted then 'sent' when v_rule.class = 'ambiguous' then 'in_doubt' else 'failed' end,
    why = v_rule.code, settled_at = v_now, provider_id = p_outcome ->> 'provider_id'
  where c.id = p_confirmation_id and (c.state = 'sending' or c.state = 'in_doubt' and c.why = 'no_outcome');
  if not found then
    return;
  end if;
  perform retoma_internal.start_gap(v_channel.id, v_now, p_accepted => v_accepted);
  update retoma_internal.channel_pacing as p set turn_kept_until = '-infinity'
  where p.channel_id = v_channel.id and p.turn_kept_until > '-infinity' and not exists (
    select from retoma_internal.confirmation as c where c.channel_id = p.channel_id and c.state = 'sending'
  );
  if v_rule.class = 'rate_limited_channel' then
    perform retoma_internal.hold_channel(
      v_channel.id, v_rule, least((p_outcome ->> 'retry_after_s')::double precision, 86400), v_now
    );
  elsif v_rule.class in ('channel_down', 'auth') then
    perform retoma.channel_disconnected(v_channel.name, format('%s: %s', v_rule.class, v_rule.code));
  end if;
end;
$$;

comment on function retoma.record_confirmation(bigint, jsonb) is
'For runners: what came of a confirmation of confirmations_to_send: {"status": "error", "code": "timeout",
"http_status": null, "retry_after_s": null, "written": true, "provider_id": null}, as in advance_batch. The rules of
error_rule say whether it has failed or is in doubt, and whether the channel is held or down. It is never sent again.
Repeats change nothing. Error RT003: a malformed outcome.';
