-- Three siblings: operators run campaigns, runners send, monitors look. None of them owns anything; every function runs as its
-- owner (security definer) or is of no use to them.
revoke all on schema retoma from public;
revoke all on all functions in schema retoma from public;
revoke all on all tables in schema retoma from retoma_operator, retoma_runner, retoma_monitor;

grant usage on schema retoma to retoma_operator, retoma_runner, retoma_monitor;

grant execute on function
  retoma.register_runner(uuid, text),
  retoma.unregister_runner(uuid),
  retoma.take_rings(int),
  retoma.lease_batch(uuid, int, bigint[]),
  retoma.advance_batch(bigint, int, jsonb, int, int, int[], uuid),
  retoma.release_batch(bigint, int, uuid),
  retoma.refuse_content(bigint, int, text, uuid),
  retoma.tick(uuid),
  retoma.ring(int[]),
  retoma.channel_connected(text),
  retoma.channel_disconnected(text, text),
  retoma.claim_look_ups(int, int),
  retoma.record_look_ups(int, jsonb),
  retoma.record_receipts(text, jsonb),
  retoma.channel_settings(text),
  retoma.opt_out(text, text, text),
  retoma.cleanup(interval)
to retoma_runner;

-- Runners are procrastinate workers too.
grant usage on schema procrastinate to retoma_runner;
grant select, insert, update, delete on all tables in schema procrastinate to retoma_runner;
grant usage on all sequences in schema procrastinate to retoma_runner;
grant execute on all functions in schema procrastinate to retoma_runner;

grant execute on function
  retoma.create_channel(
    text, text, jsonb, double precision, double precision, double precision, double precision, double precision, int, int, int
  ),
  retoma.configure_channel(
    text, jsonb, double precision, double precision, double precision, double precision, double precision, int, int, int, int, text
  ),
  retoma.pause_channel(text, text),
  retoma.resume_channel(text),
  retoma.channel_connected(text),
  retoma.channel_disconnected(text, text),
  retoma.create_campaign(text, text[], text, int, timestamptz, int, text),
  retoma.create_campaign(text, text, text, int, timestamptz, int, text),
  retoma.add_window(text, time, time, int[]),
  retoma.set_daily_cap(text, int),
  retoma.add_recipients(text, jsonb),
  retoma.add_recipients(text, bigint[], text[], jsonb[], text[]),
  retoma.load_staged(text),
  retoma.start_campaign(text, timestamptz),
  retoma.pause_campaign(text),
  retoma.resume_campaign(text),
  retoma.cancel_campaign(text),
  retoma.retry_failed(text, text[]),
  retoma.resolve_in_doubt(text, text, text[]),
  retoma.record_receipts(text, jsonb),
  retoma.opt_out(text, text, text),
  retoma.opt_in(text, text),
  retoma.forecast(text),
  retoma.cleanup(interval)
to retoma_operator;

grant select on all tables in schema retoma to retoma_operator;
revoke select on retoma.channel from retoma_operator; -- credentials may be in its settings: v_channel shows the rest
grant insert, select, delete on retoma.recipient_staging to retoma_operator;
grant insert, update, delete on retoma.error_rule to retoma_operator;
grant update on retoma.setting to retoma_operator;
grant update (time_zone, max_attempts, breaker_threshold) on retoma.campaign to retoma_operator;

-- What views call is called as the one who looks.
grant execute on function
  retoma.clock(),
  retoma.live_runners(),
  retoma.detect_interruptions(),
  retoma.channel_state(boolean, boolean),
  retoma.mask_phone(text),
  retoma.receipt_rank(text),
  retoma.message_id(text, int),
  retoma.match_key(text),
  retoma.current_throttle(retoma.channel_pacing, timestamptz)
to retoma_operator, retoma_monitor;

grant select on
  retoma.setting,
  retoma.v_campaign_summary,
  retoma.v_interrupted_campaigns,
  retoma.campaign_batch_state,
  retoma.campaign_batch_details,
  retoma.campaign_books,
  retoma.v_channel,
  retoma.v_message,
  retoma.v_in_doubt,
  retoma.v_runner,
  retoma.v_event
to retoma_monitor;
