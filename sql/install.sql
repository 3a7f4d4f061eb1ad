-- Retoma, the whole schema. Install with:  psql -v ON_ERROR_STOP=1 -f sql/install.sql  or, in psql,  \i sql/install.sql
-- Installing again is harmless. An older installation is brought up to date by "retoma db upgrade".
--
-- How one message travels
--
-- create_campaign makes a draft, and the partitions of its messages. add_recipients, or \copy into recipient_staging and
-- load_staged, write one row a recipient into "message", which nothing ever updates. start_campaign freezes this audience, cuts it
-- into batches of 300 and sets the campaign running; its trigger rings the doorbell of the campaign's channels: it inserts one
-- procrastinate job a channel, whose NOTIFY wakes a waiting runner.
--
-- The runner calls lease_batch. It gets a batch under a new lease epoch. From here on it calls advance_batch in a loop, one
-- transaction and one commit a step. A step records what became of the messages sent before, checks whether campaign, channel,
-- window, pacing and caps allow another, moves the batch's high-water mark over the next messages (this is their reservation),
-- skips those on the suppression list, renews the lease, and returns what to send. Only then, with the reservation committed and
-- no transaction open, the runner calls the provider. The outcome becomes one row of "delivery"; an error is looked up in
-- "error_rule", whose class says whether the message failed, is moved into a later batch, or stops the channel or the campaign.
--
-- If the runner dies, its session ends and with it an advisory lock; tick, which every runner calls each half second, sees that,
-- raises the epoch of the batch and makes it ready again. What was reserved and has no delivery row is in doubt: nobody knows
-- whether the provider took it. It is sent again, under the same id, only on a channel that dedupes; else a receipt, a look-up or
-- an operator settles it. If the dead runner was only frozen, its writes carry the old epoch and are refused.
--
-- A receipt of the provider (record_receipts) carries our message id, which leads back to the delivery row. When the last batch
-- is completed, its trigger completes the campaign.
--
-- Order of locks, everywhere: batches by id, channel_pacing by channel, daily cap, channel, campaigns by id, doorbell jobs. Who holds a later
-- one never waits for an earlier one (skip locked does not wait). That is why nothing here can deadlock.

\set ON_ERROR_STOP on
begin;
set local client_min_messages to warning;

\ir 10_base/prerequisites.sql
\ir 90_security/roles.sql
\ir 10_base/schema.sql
\ir 10_base/schema_version.sql
\ir 10_base/setting.sql
\ir 10_base/clock.sql
\ir 10_base/is_e164.sql

\ir 20_tables/transport.sql
\ir 20_tables/channel.sql
\ir 20_tables/channel_pacing.sql
\ir 20_tables/runner.sql
\ir 20_tables/campaign.sql
\ir 20_tables/campaign_channel.sql
\ir 20_tables/campaign_rule.sql
\ir 20_tables/campaign_zone.sql
\ir 20_tables/message.sql
\ir 20_tables/delivery.sql
\ir 20_tables/batch.sql
\ir 20_tables/batch_list.sql
\ir 20_tables/suppression.sql
\ir 20_tables/consent.sql
\ir 20_tables/error_rule.sql
\ir 20_tables/event.sql
\ir 20_tables/receipt_inbox.sql
\ir 20_tables/recipient_staging.sql

\ir 25_seed/transport.sql
\ir 25_seed/error_rule.sql

-- Channels
\ir 30_channel/channel_state.sql
\ir 30_channel/ring_lock_class.sql
\ir 30_channel/ring.sql
\ir 30_channel/find_channel.sql
\ir 30_channel/lock_channel.sql
\ir 30_channel/check_settings.sql
\ir 30_channel/setting_dedupes.sql
\ir 30_channel/setting_looks_up.sql
\ir 30_channel/create_channel.sql
\ir 30_channel/check_dedupes.sql
\ir 30_channel/configure_channel.sql
\ir 30_channel/channel_settings.sql
\ir 30_channel/channel_connected.sql
\ir 30_channel/channel_disconnected.sql
\ir 30_channel/pause_channel.sql
\ir 30_channel/resume_channel.sql
\ir 30_channel/channel_guard.sql
\ir 30_channel/channel_changed.sql

-- Campaigns
\ir 40_campaign/find_campaign.sql
\ir 40_campaign/refuse_transition.sql
\ir 40_campaign/check_time_zone.sql
\ir 40_campaign/check_text.sql
\ir 40_campaign/template_variables.sql
\ir 40_campaign/ensure_partition.sql
\ir 40_campaign/create_campaign.sql
\ir 40_campaign/has_windows.sql
\ir 40_campaign/window_is_open.sql
\ir 40_campaign/add_window.sql
\ir 40_campaign/set_daily_cap.sql
\ir 40_campaign/reject_reason.sql
\ir 40_campaign/time_zone_names.sql
\ir 40_campaign/unknown_zones.sql
\ir 40_campaign/lock_draft.sql
\ir 40_campaign/known_phones.sql
\ir 40_campaign/add_recipients.sql
\ir 40_campaign/load_staged.sql
\ir 40_campaign/check_audience.sql
\ir 40_campaign/queue_list.sql
\ir 40_campaign/queue_retry.sql
\ir 40_campaign/cut_batches.sql
\ir 40_campaign/why_no_channel.sql
\ir 40_campaign/match_channels.sql
\ir 40_campaign/match_campaigns.sql
\ir 40_campaign/refresh_statistics.sql
\ir 40_campaign/start_campaign.sql
\ir 40_campaign/pause_campaign.sql
\ir 40_campaign/resume_campaign.sql
\ir 40_campaign/cancel_campaign.sql
\ir 40_campaign/requeue.sql
\ir 40_campaign/reopen_campaign.sql
\ir 40_campaign/retry_failed.sql
\ir 40_campaign/settle_in_doubt.sql
\ir 40_campaign/resolve_in_doubt.sql
\ir 40_campaign/campaign_guard.sql
\ir 40_campaign/campaign_changed.sql
\ir 40_campaign/batch_guard.sql
\ir 40_campaign/batch_changed.sql

-- People: suppression and consent
\ir 60_receipts/match_key.sql
\ir 60_receipts/check_phone.sql
\ir 60_receipts/opt_out.sql
\ir 60_receipts/opt_in.sql

-- Runners: liveness
\ir 50_runner/runner_lock_class.sql
\ir 50_runner/locked_runner_keys.sql
\ir 50_runner/register_runner.sql
\ir 50_runner/runner_changed.sql

-- Runners: pacing
\ir 50_runner/current_throttle.sql
\ir 50_runner/current_tokens.sql
\ir 50_runner/random_gap.sql
\ir 50_runner/has_no_limits.sql
\ir 50_runner/check_quota.sql
\ir 50_runner/check_pacing.sql
\ir 50_runner/spend_pacing.sql
\ir 50_runner/take_gap.sql
\ir 50_runner/take_batch_gap.sql
\ir 50_runner/cap_left.sql
\ir 50_runner/zones_that_may_send.sql
\ir 50_runner/spend_cap.sql

-- Runners: lease
\ir 50_runner/insist_on_durability.sql
\ir 50_runner/channels_that_can_lease.sql
\ir 50_runner/open_zones.sql
\ir 50_runner/pick_batch.sql
\ir 50_runner/lease_batch.sql
\ir 50_runner/take_rings.sql

-- Runners: one step
\ir 50_runner/hold_batch.sql
\ir 50_runner/batch_ordinals.sql
\ir 50_runner/message_id.sql
\ir 50_runner/in_flight.sql
\ir 50_runner/step_facts.sql
\ir 50_runner/check_reserved.sql
\ir 50_runner/check_outcomes.sql
\ir 50_runner/classify.sql
\ir 50_runner/retry_delay.sql
\ir 50_runner/hold_channel.sql
\ir 50_runner/trip_breaker.sql
\ir 50_runner/suppress_messages.sql
\ir 50_runner/apply_error.sql
\ir 50_runner/record_errors.sql
\ir 50_runner/record_accepted.sql
\ir 50_runner/record_outcomes.sql
\ir 50_runner/has_arrived.sql
\ir 50_runner/settle_unsent.sql
\ir 50_runner/reserve_slice.sql
\ir 50_runner/reserve_messages.sql
\ir 50_runner/reserved_messages.sql
\ir 50_runner/next_action.sql
\ir 50_runner/write_batch.sql
\ir 50_runner/advance_batch.sql

-- Runners: the end of a lease
\ir 50_runner/end_lease.sql
\ir 50_runner/end_leases.sql
\ir 50_runner/complete_batches.sql
\ir 50_runner/release_batch.sql
\ir 50_runner/unregister_runner.sql
\ir 50_runner/refuse_content.sql

-- Receipts and look-ups
\ir 60_receipts/receipt_rank.sql
\ir 60_receipts/outcome_by_receipt.sql
\ir 60_receipts/receipt_targets.sql
\ir 60_receipts/apply_receipts.sql
\ir 60_receipts/apply_waiting_receipts.sql
\ir 60_receipts/record_receipts.sql
\ir 60_receipts/claim_look_ups.sql
\ir 60_receipts/look_up_targets.sql
\ir 60_receipts/record_look_ups.sql
\ir 60_receipts/channels_that_can_ask.sql

-- Runners: the tick
\ir 50_runner/reap_leases.sql
\ir 50_runner/start_due_campaigns.sql
\ir 50_runner/sweep_jobs.sql
\ir 50_runner/ring_waiting_channels.sql
\ir 50_runner/tick.sql

-- Maintenance
\ir 70_maintenance/append_only.sql
\ir 70_maintenance/immutable.sql
\ir 70_maintenance/messages_per_hour.sql
\ir 70_maintenance/forecast.sql
\ir 70_maintenance/erase_campaigns.sql
\ir 70_maintenance/drop_partitions.sql
\ir 70_maintenance/cleanup.sql

-- Monitoring
\ir 80_views/mask_phone.sql
\ir 80_views/live_runners.sql
\ir 80_views/detect_interruptions.sql
\ir 80_views/campaign_books.sql
\ir 80_views/v_campaign_summary.sql
\ir 80_views/v_interrupted_campaigns.sql
\ir 80_views/campaign_batch_details.sql
\ir 80_views/campaign_batch_state.sql
\ir 80_views/v_channel.sql
\ir 80_views/message_state.sql
\ir 80_views/v_message.sql
\ir 80_views/v_in_doubt.sql
\ir 80_views/v_runner.sql
\ir 80_views/v_event.sql

-- Who may do what
\ir 90_security/pin_procrastinate.sql
\ir 90_security/grants.sql
\ir 90_security/search_path.sql

commit;
