-- Three roles, none a member of another: operators run campaigns, runners send, monitors read. None of them owns an
-- object. Every function that they may call runs as its owner (security definer), except those that views call.
revoke all on schema retoma, retoma_internal from public;
revoke all on all functions in schema retoma, retoma_internal from public;
revoke all on all tables in schema retoma, retoma_internal from retoma_operator, retoma_runner, retoma_monitor;

grant usage on schema retoma to retoma_operator, retoma_runner, retoma_monitor;
grant execute on function retoma.installed_versions() to retoma_operator, retoma_runner, retoma_monitor;

grant execute on function
  retoma.register_runner(uuid, text),
  retoma.unregister_runner(uuid),
  retoma.claim_doorbells(int),
  retoma.lease_batch(uuid, int, bigint[]),
  retoma.advance_batch(uuid, bigint, int, jsonb, int, int, int[]),
  retoma.release_batch(uuid, bigint, int),
  retoma.give_up_batch(uuid, bigint, int, text, text),
  retoma.refuse_content(uuid, bigint, int, text),
  retoma.refuse_channel(uuid, int, text),
  retoma.contents_to_check(int, int),
  retoma.record_content_check(int, int, text[], text, text[]),
  retoma.recipients_to_render(int, int),
  retoma.record_rendering(int, int, int, int, int, jsonb),
  retoma.tick(uuid),
  retoma.blocking_session(),
  retoma.ring(int[]),
  retoma.channel_connected(text, timestamptz),
  retoma.channel_disconnected(text, text, timestamptz),
  retoma.due_lookups(int, int),
  retoma.record_lookups(int, jsonb),
  retoma.record_receipts(text, jsonb),
  retoma.record_inbound(text, jsonb),
  retoma.record_aliases(text, jsonb),
  retoma.readings_due(text),
  retoma.record_account(int, timestamptz, jsonb, text),
  retoma.record_templates(int, timestamptz, jsonb, text),
  retoma.record_template_reports(text, jsonb),
  retoma.numbers_to_check(uuid),
  retoma.record_numbers(int, timestamptz, jsonb),
  retoma.media_to_upload(),
  retoma.medium_bytes(bytea),
  retoma.record_upload(int, bytea, timestamptz, text, text),
  retoma.confirmations_to_send(uuid),
  retoma.record_confirmation(bigint, jsonb),
  retoma.channel_settings(text),
  retoma.cleanup()
to retoma_runner;

-- Runners are procrastinate workers too.
grant usage on schema procrastinate to retoma_runner;
grant select, insert, update, delete on all tables in schema procrastinate to retoma_runner;
grant usage on all sequences in schema procrastinate to retoma_runner;
grant execute on all functions in schema procrastinate to retoma_runner;

grant execute on function
  retoma.create_channel(text, text, jsonb, jsonb),
  retoma.configure_channel(text, jsonb, jsonb),
  retoma.pause_channel(text, text),
  retoma.resume_channel(text),
  retoma.channel_connected(text, timestamptz),
  retoma.channel_disconnected(text, text, timestamptz),
  retoma.create_campaign(text, text[], text, int, timestamptz, int, text, jsonb),
  retoma.create_campaign(text, text, text, int, timestamptz, int, text, jsonb),
  retoma.record_content_check(int, int, text[], text, text[]),
  retoma.configure_campaign(text, jsonb),
  retoma.add_window(text, time, time, int[]),
  retoma.remove_window(text, time, time, int[]),
  retoma.group_channel(text, text),
  retoma.set_limit(text, text, int, text, text, text),
  retoma.add_recipients(text, jsonb),
  retoma.add_recipients(text, bigint[], text[], jsonb[], text[]),
  retoma.load_staged(text),
  retoma.clear_recipients(text),
  retoma.sample_recipients(text, int),
  retoma.campaign_content(text),
  retoma.start_campaign(text, timestamptz),
  retoma.pause_campaign(text),
  retoma.resume_campaign(text),
  retoma.cancel_campaign(text),
  retoma.retry_failed(text, text[]),
  retoma.resolve_in_doubt(text, text, text[]),
  retoma.record_receipts(text, jsonb),
  retoma.record_inbound(text, jsonb),
  retoma.resolve_reply(bigint, text, text),
  retoma.blocking_session(),
  retoma.refresh_channel(text, text),
  retoma.media_add(text, bytea),
  retoma.media_remove(text),
  retoma.remove_reply_word(text),
  retoma.opt_out(text, text, text, timestamptz),
  retoma.opt_out_list(text[], text, text, timestamptz),
  retoma.opt_in(text, text, timestamptz),
  retoma.opt_in_list(text[], text, timestamptz),
  retoma.cleanup(),
  retoma.cleanup(interval),
  retoma.discard_staged(text),
  retoma.remove_error_rule(text, text)
to retoma_operator;
grant execute on function retoma.forecast(text) to retoma_operator, retoma_monitor;

grant select on all tables in schema retoma to retoma_operator;
-- Never UPDATE or DELETE on a whole table: with one of them, "lock table" stops everybody who reads it.
grant insert on retoma.recipient_staging, retoma.error_rule, retoma.reply_word to retoma_operator;
grant update (class, suppress, counts_attempt, defer_s, note) on retoma.error_rule to retoma_operator;
grant update (threshold, action, note) on retoma.breaker to retoma_operator;
grant update (words, meaning, note) on retoma.reply_word to retoma_operator;
-- For the generated column of reply_word.
grant execute on function retoma_internal.plain_words(text) to retoma_operator;
grant update (lease_duration, lookup_after, retention, addresses_kept) on retoma.setting to retoma_operator;

-- A view calls its functions with the role that reads the view. These roles have no usage of retoma_internal, so they
-- cannot call its functions in another way.
grant execute on function
  retoma.clock(),
  retoma_internal.live_runners(),
  retoma_internal.detect_interruptions(),
  retoma_internal.open_transactions(),
  retoma_internal.oldest_transaction(),
  retoma_internal.campaign_waits(),
  retoma_internal.channel_state(retoma_internal.channel),
  retoma_internal.address_space(retoma_internal.channel),
  retoma_internal.limit_used(retoma_internal.limit_rule, timestamptz),
  retoma_internal.period_in_words(text, interval),
  retoma_internal.mask_phone(text),
  retoma_internal.mask_numbers(text),
  retoma_internal.mask_text(text),
  retoma_internal.listed(text[], text),
  retoma_internal.receipt_rank(text),
  retoma_internal.message_id(text, int),
  retoma_internal.variant_of(text, int[]),
  retoma_internal.phone_forms(text),
  retoma_internal.suppression_key(text),
  retoma_internal.limit_in_words(retoma_internal.limit_rule),
  retoma_internal.current_throttle(retoma_internal.channel_pacing, timestamptz),
  retoma_internal.throttle_ends(retoma_internal.channel_pacing)
to retoma_operator, retoma_monitor;

grant select on
  retoma.setting,
  retoma.v_campaign_summary,
  retoma.v_interrupted_campaigns,
  retoma.v_waiting_campaigns,
  retoma.campaign_batch_state,
  retoma.campaign_batch_details,
  retoma.v_channel,
  retoma.v_limit,
  retoma.v_account,
  retoma.v_window,
  retoma.v_message,
  retoma.v_message_count,
  retoma.v_delivery,
  retoma.v_in_doubt,
  retoma.v_confirmation,
  retoma.v_runner,
  retoma.v_event,
  retoma.content_kinds,
  retoma.v_render_fault,
  retoma.v_variant,
  retoma.media_type,
  retoma.medium_limit,
  retoma.v_tick,
  retoma.v_tick_failure,
  retoma.v_open_transaction
to retoma_monitor;
