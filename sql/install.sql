-- Retoma, the whole schema. Install with:  psql -v ON_ERROR_STOP=1 -f sql/install.sql  or, in psql,  \i sql/install.sql
-- Installing again is harmless. "retoma db upgrade" brings an older installation up to date.
--
-- How one message travels
--
-- create_campaign creates a draft, and the partitions for its messages. A runner parses the content and records which
-- variables it requires (record_content_check); nothing is sent before that. add_recipients, or \copy into
-- recipient_staging and load_staged, write one row per recipient into "message"; these rows are never updated.
-- start_campaign freezes this audience, cuts it into batches of 300 messages and sets the campaign running. A trigger
-- then rings the doorbell of the channels of the campaign: it inserts one procrastinate job per channel, and the NOTIFY
-- of that job wakes a waiting runner.
--
-- The runner calls lease_batch and gets a batch under a new lease epoch. Then it calls advance_batch in a loop. Each
-- call is one step: one transaction with one commit. A step records the outcomes of the messages that were sent before.
-- It checks whether campaign, channel, windows, pacing and limits allow more messages. It moves the high-water mark of
-- the batch over the next messages: this is their reservation. It skips numbers on the suppression list, renews the
-- lease, and returns the messages to send. The runner calls the provider only after this commit, with no transaction
-- open. Each outcome becomes one row of "delivery". For an error, "error_rule" gives the class. The class says whether
-- the message failed, continues in a later batch, or stops the channel or the campaign.
--
-- If the runner dies, its session ends, and with it its advisory lock. Every runner calls tick each half second. tick
-- sees the missing lock, raises the epoch of the batch and makes it ready again. A message that was reserved and has no
-- delivery row is in doubt: the provider may or may not have taken it. It is sent again, under the same id, only on a
-- channel that dedupes. Otherwise a receipt, a lookup or an operator settles it. If the runner was only frozen, its
-- writes carry the old epoch and are refused.
--
-- A receipt of the provider (record_receipts) carries our message id, which leads back to the delivery row. When the
-- last batch is completed, a trigger completes the campaign.
--
-- The order of locks is the same everywhere: batches by id, channel_pacing by channel, readings, groups of channels,
-- limit rules by id, deliveries by ordinal, suppressed numbers by key, uploads of media, checks of numbers,
-- confirmations, channel, campaigns by id, their rows of campaign_channel, doorbell jobs. A transaction that holds a
-- later lock never waits for an earlier one (skip locked does not wait). So two transactions cannot deadlock.

\set ON_ERROR_STOP on
begin;
set local client_min_messages to warning;
-- Whatever the defaults of the server are.
set local transaction_isolation to 'read committed';
set local transaction_read_only to off;
set local client_encoding to 'UTF8';
set local standard_conforming_strings to on;
-- Nothing that another role put into a schema of the caller's path can stand in for what is named below.
set local search_path to pg_catalog, pg_temp;

-- The base of everything else
\ir 10_base/server.sql
\ir 10_base/owners.sql
\ir 10_base/prerequisites.sql
\ir 10_base/roles.sql
\ir 10_base/schema.sql
\ir 10_base/schema_version.sql
\ir 10_base/installed_versions.sql
\ir 10_base/setting.sql
\ir 10_base/insist_on_read_committed.sql
\ir 10_base/check_interval.sql
\ir 10_base/setting_guard.sql
\ir 10_base/clock.sql
\ir 10_base/is_defect.sql

-- Values: checks, and words for people
\ir 12_values/event_time.sql
\ir 12_values/is_e164.sql
\ir 12_values/mask_numbers.sql
\ir 12_values/plain_words.sql
\ir 12_values/listed.sql
\ir 12_values/check_time_zone.sql
\ir 12_values/time_zone_names.sql
\ir 12_values/check_length.sql
\ir 12_values/check_patch.sql
\ir 12_values/patch_int.sql
\ir 12_values/patch_number.sql
\ir 12_values/patch_text.sql
\ir 12_values/portion.sql

-- Facts as rows: transports, kinds of content, errors, words of replies
\ir 20_catalog/transport.sql
\ir 20_catalog/transport_setting.sql
\ir 20_catalog/transport_reading.sql
\ir 20_catalog/content_kind.sql
\ir 20_catalog/content_field.sql
\ir 20_catalog/text_form.sql
\ir 20_catalog/transport_kind.sql
\ir 20_catalog/content_limit.sql
\ir 20_catalog/media_type.sql
\ir 20_catalog/medium_limit.sql
\ir 20_catalog/reply_word.sql
\ir 20_catalog/reply_word_guard.sql
\ir 20_catalog/error_rule.sql
\ir 20_catalog/error_rule_guard.sql
\ir 20_catalog/breaker.sql
\ir 20_catalog/breaker_guard.sql

-- Tables of those who send: runners, channels, limits, media, templates
\ir 22_channel_tables/turn.sql
\ir 22_channel_tables/runner.sql
\ir 22_channel_tables/tick_failure.sql
\ir 22_channel_tables/limit_rule.sql
\ir 22_channel_tables/limit_use.sql
\ir 22_channel_tables/channel_group.sql
\ir 22_channel_tables/channel.sql
\ir 22_channel_tables/channel_pacing.sql
\ir 22_channel_tables/medium.sql
\ir 22_channel_tables/medium_upload.sql
\ir 22_channel_tables/template.sql
\ir 22_channel_tables/reading.sql
\ir 22_channel_tables/account.sql
\ir 22_channel_tables/channel_refusal.sql
\ir 22_channel_tables/number_check.sql
\ir 22_channel_tables/number_checking.sql

-- Tables of campaigns, and the triggers that keep some of them append-only
\ir 24_campaign_tables/campaign.sql
\ir 24_campaign_tables/campaign_content.sql
\ir 24_campaign_tables/render_fault.sql
\ir 24_campaign_tables/send_window.sql
\ir 24_campaign_tables/campaign_zone.sql
\ir 24_campaign_tables/message.sql
\ir 24_campaign_tables/message_address.sql
\ir 24_campaign_tables/delivery.sql
\ir 24_campaign_tables/suppression.sql
\ir 24_campaign_tables/consent.sql
\ir 24_campaign_tables/event.sql
\ir 24_campaign_tables/recipient_staging.sql
\ir 24_campaign_tables/append_only.sql
\ir 24_campaign_tables/immutable.sql
\ir 24_campaign_tables/campaign_medium.sql
\ir 24_campaign_tables/campaign_channel.sql
\ir 24_campaign_tables/batch.sql
\ir 24_campaign_tables/batch_list.sql
\ir 24_campaign_tables/receipt_inbox.sql
\ir 24_campaign_tables/reply.sql
\ir 24_campaign_tables/alias.sql
\ir 24_campaign_tables/confirmation.sql
\ir 24_campaign_tables/keep.sql

-- First rows: kinds of content, errors of all transports, a file for each transport, and the words of replies
\ir 25_seed/content_kind.sql
\ir 25_seed/text_form.sql
\ir 25_seed/content_field.sql
\ir 25_seed/error_rule.sql
\ir 25_seed/evolution.sql
\ir 25_seed/evolution_go.sql
\ir 25_seed/waha.sql
\ir 25_seed/webhook.sql
\ir 25_seed/null.sql
\ir 25_seed/whatsapp_cloud.sql
\ir 25_seed/opt_out_confirmation.sql
\ir 25_seed/media_type.sql
\ir 25_seed/medium_limit.sql
\ir 25_seed/reply_word.sql
\ir 25_seed/breaker.sql

-- The doorbell: the only part that knows the tables of procrastinate
\ir 30_doorbell/ring.sql
\ir 30_doorbell/claim_doorbells.sql
\ir 30_doorbell/sweep_jobs.sql
\ir 30_doorbell/ring_ready_channels.sql
\ir 30_doorbell/pin_procrastinate.sql

-- Pacing of a channel
\ir 32_pacing/current_throttle.sql
\ir 32_pacing/throttle_ends.sql
\ir 32_pacing/current_tokens.sql
\ir 32_pacing/random_gap.sql
\ir 32_pacing/is_unpaced.sql
\ir 32_pacing/latest_send.sql
\ir 32_pacing/set_pacing_back.sql
\ir 32_pacing/pacing_allowance.sql
\ir 32_pacing/spend_pacing.sql
\ir 32_pacing/start_gap.sql
\ir 32_pacing/start_batch_gap.sql
\ir 32_pacing/hold_channel.sql
\ir 32_pacing/messages_per_hour.sql
\ir 32_pacing/pacing_keys.sql
\ir 32_pacing/patched_gap.sql
\ir 32_pacing/patched_count.sql
\ir 32_pacing/check_gap.sql
\ir 32_pacing/patched_pacing.sql
\ir 32_pacing/check_under_way.sql

-- Settings of a channel
\ir 33_settings/check_setting_text.sql
\ir 33_settings/check_setting.sql
\ir 33_settings/check_settings.sql
\ir 33_settings/check_secrets.sql
\ir 33_settings/patched_settings.sql
\ir 33_settings/matches_any.sql
\ir 33_settings/deduped_kinds.sql
\ir 33_settings/looks_up.sql
\ir 33_settings/provider_of.sql
\ir 33_settings/address_space.sql
\ir 33_settings/channel_settings.sql

-- Channels
\ir 34_channel/channel_state.sql
\ir 34_channel/find_channel.sql
\ir 34_channel/find_group.sql
\ir 34_channel/group_of.sql
\ir 34_channel/lock_channel.sql
\ir 34_channel/forget_failures.sql
\ir 34_channel/patched_channel.sql
\ir 34_channel/check_repeats.sql
\ir 34_channel/configure_channel.sql
\ir 34_channel/create_channel.sql
\ir 34_channel/note_connection.sql
\ir 34_channel/channel_connected.sql
\ir 34_channel/channel_disconnected.sql
\ir 34_channel/stop_channel.sql
\ir 34_channel/pause_channel.sql
\ir 34_channel/resume_channel.sql
\ir 34_channel/group_channel.sql
\ir 34_channel/channel_guard.sql
\ir 34_channel/channel_changed.sql

-- Readings: what providers are asked for again and again, and what they say of accounts
\ir 35_readings/readings_due.sql
\ir 35_readings/lock_reading.sql
\ir 35_readings/end_reading.sql
\ir 35_readings/refresh_channel.sql
\ir 35_readings/check_account.sql
\ir 35_readings/lock_told_limits.sql
\ir 35_readings/apply_told_limits.sql
\ir 35_readings/apply_account.sql
\ir 35_readings/record_account.sql

-- Suppression and consent
\ir 36_consent/suppression_key.sql
\ir 36_consent/phone_forms.sql
\ir 36_consent/check_phone.sql
\ir 36_consent/check_reason.sql
\ir 36_consent/check_source.sql
\ir 36_consent/record_consent.sql
\ir 36_consent/record_consents.sql
\ir 36_consent/bad_phones.sql
\ir 36_consent/opt_out.sql
\ir 36_consent/opt_in.sql
\ir 36_consent/opt_out_list.sql
\ir 36_consent/opt_in_list.sql
\ir 36_consent/suppress_messages.sql

-- The id of a message, and which of several contents it gets
\ir 37_variants/message_id.sql
\ir 37_variants/variant_of.sql
\ir 37_variants/content_variants.sql
\ir 37_variants/check_variants.sql
\ir 37_variants/variant_bounds.sql
\ir 37_variants/put_variants.sql
\ir 37_variants/variant_in_words.sql
\ir 37_variants/count_of_variant.sql
\ir 37_variants/with_variants.sql
\ir 37_variants/contents_of.sql

-- Content
\ir 38_content/content_kind.sql
\ir 38_content/content_guard.sql
\ir 38_content/is_blank.sql
\ir 38_content/content_limits.sql
\ir 38_content/json_children.sql
\ir 38_content/content_parts.sql
\ir 38_content/content_texts.sql
\ir 38_content/has_liquid.sql
\ir 38_content/wrong_type.sql
\ir 38_content/missing_field.sql
\ir 38_content/repeated_value.sql
\ir 38_content/check_shape.sql
\ir 38_content/check_forms.sql
\ir 38_content/check_lengths.sql
\ir 38_content/check_content.sql
\ir 38_content/content_fault.sql

-- Media: stored files, and their uploads
\ir 39_media/media_type_of.sql
\ir 39_media/media_add.sql
\ir 39_media/media_remove.sql
\ir 39_media/content_media.sql
\ir 39_media/check_media.sql
\ir 39_media/keep_media.sql
\ir 39_media/medium_wait.sql
\ir 39_media/medium_fault.sql
\ir 39_media/media_to_upload.sql
\ir 39_media/medium_bytes.sql
\ir 39_media/lease_media.sql

-- Templates that a provider has to approve
\ir 39_templates/json_list.sql
\ir 39_templates/template_component.sql
\ir 39_templates/template_variables.sql
\ir 39_templates/header_mismatch.sql
\ir 39_templates/body_mismatch.sql
\ir 39_templates/buttons_mismatch.sql
\ir 39_templates/part_mismatch.sql
\ir 39_templates/template_mismatch.sql
\ir 39_templates/template_fault.sql

-- Limits and windows
\ir 40_limits_and_windows/has_windows.sql
\ir 40_limits_and_windows/window_is_open.sql
\ir 40_limits_and_windows/window_parts.sql
\ir 40_limits_and_windows/window_changes_at.sql
\ir 40_limits_and_windows/add_window.sql
\ir 40_limits_and_windows/remove_window.sql
\ir 40_limits_and_windows/limit_slot.sql
\ir 40_limits_and_windows/limit_counts_from.sql
\ir 40_limits_and_windows/limit_used.sql
\ir 40_limits_and_windows/limit_left.sql
\ir 40_limits_and_windows/limit_ends.sql
\ir 40_limits_and_windows/exhaust_limits.sql
\ir 40_limits_and_windows/limit_allowance.sql
\ir 40_limits_and_windows/spend_people.sql
\ir 40_limits_and_windows/spend_limits.sql
\ir 40_limits_and_windows/period_in_words.sql
\ir 40_limits_and_windows/limit_in_words.sql
\ir 40_limits_and_windows/rolling_period.sql
\ir 40_limits_and_windows/limit_subject.sql
\ir 40_limits_and_windows/limit_zone.sql
\ir 40_limits_and_windows/carry_limit_use.sql
\ir 40_limits_and_windows/set_limit.sql
\ir 40_limits_and_windows/interrupt_for_zones.sql

-- Campaigns
\ir 42_campaign/find_campaign.sql
\ir 42_campaign/refuse_transition.sql
\ir 42_campaign/interrupt_by_breaker.sql
\ir 42_campaign/check_campaign_values.sql
\ir 42_campaign/create_campaign.sql
\ir 42_campaign/ring_campaign.sql
\ir 42_campaign/why_no_channel.sql
\ir 39_templates/judge_templates.sql
\ir 42_campaign/reconcile_campaign.sql
\ir 42_campaign/reconcile_campaigns.sql
\ir 39_media/reconcile_media.sql
\ir 39_media/record_upload.sql
\ir 39_templates/reconcile_channel.sql
\ir 39_templates/record_templates.sql
\ir 39_templates/record_template_reports.sql
\ir 39_templates/check_templates.sql
\ir 42_campaign/campaign_content.sql
\ir 42_campaign/start_campaign.sql
\ir 42_campaign/pause_campaign.sql
\ir 42_campaign/resume_campaign.sql
\ir 42_campaign/cancel_campaign.sql
\ir 42_campaign/finish_cancelling.sql
\ir 42_campaign/reopen_campaign.sql
\ir 42_campaign/retry_failed.sql
\ir 42_campaign/resolve_in_doubt.sql
\ir 42_campaign/campaign_guard.sql
\ir 42_campaign/campaign_changed.sql
\ir 42_campaign/start_due_campaigns.sql
\ir 42_campaign/lock_campaign.sql
\ir 42_campaign/refuse_unknown_campaign.sql
\ir 42_campaign/configure_campaign.sql

-- Rendering: contents are checked, then made for every recipient
\ir 43_rendering/contents_to_check.sql
\ir 43_rendering/record_content_check.sql
\ir 43_rendering/contents_to_render.sql
\ir 43_rendering/recipients_to_render.sql
\ir 43_rendering/rendering_refusal.sql
\ir 43_rendering/check_rendering.sql
\ir 43_rendering/count_render_faults.sql
\ir 43_rendering/record_rendering.sql
\ir 43_rendering/forget_rendering.sql
\ir 43_rendering/tell_rendering.sql

-- Recipients
\ir 44_audience/ensure_partition.sql
\ir 44_audience/reject_reason.sql
\ir 44_audience/unknown_keys.sql
\ir 44_audience/unknown_zones.sql
\ir 44_audience/lock_draft.sql
\ir 44_audience/known_phones.sql
\ir 44_audience/put_recipients.sql
\ir 44_audience/add_recipients.sql
\ir 44_audience/load_staged.sql
\ir 44_audience/discard_staged.sql
\ir 44_audience/clear_recipients.sql
\ir 44_audience/sample_recipients.sql
\ir 44_audience/plain_name.sql
\ir 44_audience/near_variables.sql
\ir 44_audience/missing_variables.sql
\ir 44_audience/unknown_variables.sql
\ir 44_audience/audience_fault.sql
\ir 44_audience/check_variables.sql
\ir 44_audience/check_audience.sql
\ir 44_audience/refresh_statistics.sql

-- Batches
\ir 50_batch/queue_list.sql
\ir 50_batch/queue_retry.sql
\ir 50_batch/cut_batches.sql
\ir 50_batch/requeue.sql
\ir 50_batch/settle_in_doubt.sql
\ir 50_batch/settle_undecided.sql
\ir 50_batch/cancel_batches.sql
\ir 50_batch/batch_guard.sql
\ir 50_batch/batch_changed.sql
\ir 50_batch/batch_ordinals.sql
\ir 50_batch/in_flight.sql
\ir 50_batch/complete_batches.sql
\ir 50_batch/interrupt_for_defects.sql

-- Runners: liveness
\ir 52_runner/runner_lock_class.sql
\ir 52_runner/connected_runners.sql
\ir 52_runner/register_runner.sql
\ir 52_runner/runner_changed.sql
\ir 52_runner/insist_on_durability.sql
\ir 52_runner/unregister_runner.sql
\ir 52_runner/live_runners.sql
\ir 52_runner/lock_holders.sql
\ir 52_runner/open_transactions.sql
\ir 52_runner/session_in_words.sql
\ir 52_runner/oldest_transaction.sql
\ir 52_runner/blocking_session.sql
\ir 52_runner/refuse_locked.sql
\ir 52_runner/refuse_channel.sql

-- Leases: begin, lock, end
\ir 54_lease/zones_that_may_send.sql
\ir 54_lease/channels_that_can_lease.sql
\ir 54_lease/open_zones.sql
\ir 54_lease/pick_batch.sql
\ir 54_lease/lease_batch.sql
\ir 54_lease/lock_lease.sql
\ir 54_lease/settle_lease.sql
\ir 54_lease/break_lease.sql
\ir 54_lease/end_lease.sql
\ir 54_lease/end_quiet_leases.sql
\ir 54_lease/end_leases.sql
\ir 54_lease/release_batch.sql
\ir 54_lease/give_up_batch.sql
\ir 54_lease/reap_leases.sql

-- Numbers: under which addresses people can be reached
\ir 55_numbers/number_checker.sql
\ir 55_numbers/closed_zone.sql
\ir 55_numbers/note_checkers.sql
\ir 55_numbers/number_is_known.sql
\ir 55_numbers/unknown_numbers.sql
\ir 55_numbers/open_batch.sql
\ir 55_numbers/open_unasked.sql
\ir 55_numbers/next_closed_batch.sql
\ir 55_numbers/next_questions.sql
\ir 55_numbers/numbers_to_check.sql
\ir 55_numbers/check_answers.sql
\ir 55_numbers/record_answers.sql
\ir 55_numbers/record_numbers.sql
\ir 55_numbers/with_addresses.sql

-- One step of a lease
\ir 56_step/step_context.sql
\ir 56_step/step_context_of.sql
\ir 56_step/why_not_in_words.sql
\ir 56_step/check_reserved.sql
\ir 56_step/check_outcomes.sql
\ir 56_step/record_accepted.sql
\ir 56_step/judge_ids.sql
\ir 56_step/record_outcomes.sql
\ir 56_step/reserve_unsuppressed.sql
\ir 56_step/reserve_reachable.sql
\ir 56_step/give_up_repeats.sql
\ir 56_step/next_ordinals.sql
\ir 56_step/reserve_messages.sql
\ir 56_step/reserved_messages.sql
\ir 56_step/next_action.sql
\ir 56_step/write_batch.sql
\ir 56_step/with_variants_and_addresses.sql
\ir 56_step/advance_batch.sql
\ir 56_step/refuse_content.sql
\ir 56_step/catch_up.sql

-- Errors of a step
\ir 57_errors/classify.sql
\ir 57_errors/remove_error_rule.sql
\ir 57_errors/retry_delay.sql
\ir 57_errors/most_attempts.sql
\ir 57_errors/has_arrived.sql
\ir 57_errors/await_receipts.sql
\ir 57_errors/settle_without_sending.sql
\ir 57_errors/campaign_down_in_words.sql
\ir 57_errors/trip_breaker.sql
\ir 57_errors/count_failures.sql
\ir 57_errors/apply_breakers.sql
\ir 57_errors/apply_error.sql
\ir 57_errors/error_groups.sql
\ir 57_errors/record_errors.sql

-- Confirmations of opt-outs by reply
\ir 58_confirmations/is_confirmation.sql
\ir 58_confirmations/queue_confirmation.sql
\ir 58_confirmations/settle_confirmations.sql
\ir 58_confirmations/keep_turn.sql
\ir 58_confirmations/confirmation_turn.sql
\ir 58_confirmations/claim_confirmation.sql
\ir 58_confirmations/confirmations_to_send.sql
\ir 58_confirmations/check_confirmation_outcome.sql
\ir 58_confirmations/record_confirmation.sql

-- Receipts
\ir 60_receipts/receipt_rank.sql
\ir 60_receipts/outcome_by_receipt.sql
\ir 60_receipts/receipt_time.sql
\ir 60_receipts/receipt_fault.sql
\ir 60_receipts/receipt_fault_in_words.sql
\ir 60_receipts/refused_receipt.sql
\ir 60_receipts/read_receipts.sql
\ir 60_receipts/is_under_way.sql
\ir 60_receipts/receipt_targets.sql
\ir 60_receipts/lock_receipt_batches.sql
\ir 60_receipts/apply_receipts.sql
\ir 60_receipts/failed_in_a_row.sql
\ir 60_receipts/stop_after_failures_in_a_row.sql
\ir 60_receipts/stop_after_receipts.sql
\ir 60_receipts/apply_waiting_receipts.sql
\ir 60_receipts/keep_receipts.sql
\ir 60_receipts/record_receipts.sql

-- Lookups of messages in doubt
\ir 62_lookups/due_lookups.sql
\ir 62_lookups/lookup_targets.sql
\ir 62_lookups/check_lookups.sql
\ir 62_lookups/record_lookups.sql
\ir 62_lookups/channels_with_lookups_due.sql

-- Replies
\ir 64_replies/one_edit_apart.sql
\ir 64_replies/reply_says.sql
\ir 64_replies/without_words.sql
\ir 64_replies/reply_meaning.sql
\ir 64_replies/answered_campaign.sql
\ir 64_replies/check_replies.sql
\ir 64_replies/keep_replies.sql
\ir 64_replies/first_bad_time.sql
\ir 64_replies/check_aliases.sql
\ir 64_replies/name_waiting_replies.sql
\ir 64_replies/learn_aliases.sql
\ir 64_replies/with_numbers.sql
\ir 64_replies/take_opt_outs.sql
\ir 64_replies/record_aliases.sql
\ir 64_replies/record_inbound.sql
\ir 64_replies/resolve_reply.sql
\ir 64_replies/remove_reply_word.sql

-- Upkeep: the tick, the clean-up
\ir 70_upkeep/take_turn.sql
\ir 70_upkeep/is_tick_late.sql
\ir 70_upkeep/record_tick_failure.sql
\ir 70_upkeep/close_tick_failures.sql
\ir 70_upkeep/subjects_of.sql
\ir 70_upkeep/do_part.sql
\ir 70_upkeep/run_part.sql
\ir 70_upkeep/tick.sql
\ir 70_upkeep/erase_campaigns.sql
\ir 70_upkeep/drop_partitions.sql
\ir 70_upkeep/cleanup.sql
\ir 70_upkeep/cleanup_as_set.sql

-- What a campaign waits for
\ir 76_waits/detect_interruptions.sql
\ir 76_waits/window_opening.sql
\ir 76_waits/channel_wait.sql
\ir 76_waits/zone_wait.sql
\ir 76_waits/is_in_progress.sql
\ir 76_waits/campaign_locks.sql
\ir 76_waits/campaign_wait.sql
\ir 76_waits/campaign_waits.sql

-- When a campaign will be done
\ir 78_forecast/limit_per_hour.sql
\ir 78_forecast/unpaced_per_hour.sql
\ir 78_forecast/checks_per_hour.sql
\ir 78_forecast/forecast_audience.sql
\ir 78_forecast/forecast_senders.sql
\ir 78_forecast/forecast_rules.sql
\ir 78_forecast/forecast_windows.sql
\ir 78_forecast/forecast_limits.sql
\ir 78_forecast/forecast_speeds.sql
\ir 78_forecast/forecast_step.sql
\ir 78_forecast/finish_time.sql
\ir 78_forecast/forecast.sql

-- Views of campaigns and messages
\ir 80_views/mask_phone.sql
\ir 80_views/mask_text.sql
\ir 80_views/campaign_totals.sql
\ir 80_views/left_to_render.sql
\ir 80_views/v_campaign_summary.sql
\ir 80_views/v_interrupted_campaigns.sql
\ir 80_views/v_waiting_campaigns.sql
\ir 80_views/campaign_batch_details.sql
\ir 80_views/campaign_batch_state.sql
\ir 80_views/messages_under_way.sql
\ir 80_views/undecided_messages.sql
\ir 80_views/message_state.sql
\ir 80_views/v_message.sql
\ir 80_views/messages_by_channel.sql
\ir 80_views/v_message_count.sql
\ir 80_views/v_in_doubt.sql
\ir 80_views/v_delivery.sql
\ir 80_views/v_reply.sql
\ir 80_views/v_confirmation.sql
\ir 80_views/v_variant.sql

-- Views of channels, runners and rules
\ir 82_system_views/v_channel.sql
\ir 82_system_views/v_runner.sql
\ir 82_system_views/v_tick_failure.sql
\ir 82_system_views/v_open_transaction.sql
\ir 82_system_views/v_tick.sql
\ir 82_system_views/v_event.sql
\ir 82_system_views/v_limit.sql
\ir 82_system_views/v_window.sql
\ir 82_system_views/v_consent.sql
\ir 82_system_views/v_suppression.sql
\ir 82_system_views/v_account.sql
\ir 82_system_views/v_template.sql
\ir 82_system_views/v_medium.sql
\ir 82_system_views/content_kinds.sql
\ir 82_system_views/v_render_fault.sql

-- Rights of the roles
\ir 90_security/grants.sql
\ir 90_security/search_path.sql

commit;
