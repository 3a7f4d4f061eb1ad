-- Evolution GO drives WhatsApp Web, so it sends one message at a time, as a person would.
--
-- absent_proves. The only messages that it keeps are those whose receipts it has seen. So "found" is a proof, and
-- "absent" is not.
insert into retoma.transport (
  name, pacing, looks_up_when, absent_proves, checks_numbers, address_space, note
) values
(
  'evolution_go', '{"gap_min_s": 5, "gap_max_s": 15, "batch_gap_min_s": 15, "batch_gap_max_s": 30}',
  '[{"store": true}]', false, true, 'whatsapp_web', 'Evolution GO, an HTTP gateway to WhatsApp Web'
)
on conflict (name) do nothing;

insert into retoma.transport_reading (transport, about, every) values ('evolution_go', 'account', '1 minute')
on conflict (transport, about) do nothing;

insert into retoma.transport_setting (
  transport, key, kind, required, choices, default_value, minimum, maximum, note
) values
('evolution_go', 'base_url', 'url', true, null, null, null, null, 'address of the server'),
(
  'evolution_go', 'api_key', 'secret', true, null, null, null, null,
  'the token of the instance: names it, goes into the header apikey, and checks its webhooks'
),
(
  'evolution_go', 'store', 'flag', false, null, null, null, null,
  'true when the server keeps the status of messages (DATABASE_SAVE_MESSAGES)'
),
(
  'evolution_go', 'server_version', 'text', false, null, null, null, null,
  'a note: a new value makes Retoma look again whether the server takes our message ids'
),
(
  'evolution_go', 'check_numbers', 'flag', false, null, 'true', null, null,
  'true when the address of each number is asked for before the first message to it'
),
(
  'evolution_go', 'check_gap_s', 'seconds', false, null, '2', 0, 3600,
  'at least so long between two numbers that are asked about'
),
('evolution_go', 'timeout_s', 'seconds', false, null, '60', 0.1, 300, 'for a whole request')
on conflict (transport, key) do nothing;

-- The server takes our message id with each of these requests, and its answer shows it.
insert into retoma.transport_kind (transport, kind, dedupes_when, shows_id) values
('evolution_go', 'text', '[{}]', true),
('evolution_go', 'image', '[{}]', true),
('evolution_go', 'video', '[{}]', true),
('evolution_go', 'document', '[{}]', true),
('evolution_go', 'audio', '[{}]', true),
('evolution_go', 'poll', '[{}]', true)
on conflict (transport, kind) do nothing;

insert into retoma.content_limit (transport, kind, field, maximum, note) values
('evolution_go', 'poll', 'options', 12, 'the apps of WhatsApp show no more')
on conflict (transport, kind, field) do nothing;

insert into retoma.error_rule (transport, code, class, suppress, counts_attempt, defer_s, note) values
(
  'evolution_go', 'not_on_whatsapp', 'permanent_recipient', false, true, null,
  'the number check of the server found nobody, so nothing was sent'
),
('evolution_go', 'invalid_request', 'permanent_message', false, true, null, 'refused before the send'),
(
  'evolution_go', 'content_not_supported', 'permanent_message', false, true, null,
  'there is no request for this content: nothing was sent'
),
(
  'evolution_go', 'media_refused', 'permanent_message', false, true, null,
  'what is at the link is not of a type that the server sends'
),
('evolution_go', 'media_unreachable', 'transient', false, true, 60, 'the server could not fetch the link'),
(
  'evolution_go', 'session_down', 'transient', false, false, 30,
  'the server was not connected to WhatsApp, also after it had tried again'
),
(
  'evolution_go', 'server_463', 'recipient_or_account', false, true, null,
  'WhatsApp refuses a new chat: this one, or all new ones of the account'
),
('evolution_go', 'unreadable_answer', 'ambiguous', false, true, null, 'a 2xx that is not in the form of the server'),
('evolution_go', 'server_479', 'transient', false, true, 60, 'WhatsApp refused once; one retry is enough to know'),
('evolution_go', 'server_error', 'transient', false, true, 300, 'WhatsApp refused with another number')
on conflict (transport, code) do nothing;
