-- Evolution API drives WhatsApp Web, so it sends one message at a time, as a person would.
--
-- absent_proves. It answers from its database, which it writes after the send and only if it is told to keep messages.
-- So "found" is a proof, and "absent" is not.
insert into retoma.transport (
  name, pacing, looks_up_when, absent_proves, checks_numbers, inlines_media_when, address_space, note
) values
(
  'evolution', '{"gap_min_s": 5, "gap_max_s": 15, "batch_gap_min_s": 15, "batch_gap_max_s": 30}',
  '[{"store": true}]', false, true, '[{"media_as": "base64"}]', 'whatsapp_web',
  'Evolution API, an HTTP gateway to WhatsApp Web'
)
on conflict (name) do nothing;

insert into retoma.transport_reading (transport, about, every) values ('evolution', 'account', '1 minute')
on conflict (transport, about) do nothing;

insert into retoma.transport_setting (
  transport, key, kind, required, choices, default_value, minimum, maximum, note
) values
('evolution', 'base_url', 'url', true, null, null, null, null, 'address of the server'),
('evolution', 'instance', 'text', true, null, null, null, null, 'name of the instance'),
('evolution', 'api_key', 'secret', false, null, null, null, null, 'goes into the header apikey'),
(
  'evolution', 'store', 'flag', false, null, null, null, null,
  'true when the server keeps new messages (DATABASE_SAVE_DATA_NEW_MESSAGE)'
),
(
  'evolution', 'server_version', 'text', false, null, null, null, null,
  'a note: a new value makes Retoma look again whether the server takes our message ids'
),
(
  'evolution', 'media_as', 'choice', false, '{link,base64}', '"link"', null, null,
  'base64 when stored files go along with each message; with link, media have links only'
),
(
  'evolution', 'check_numbers', 'flag', false, null, 'true', null, null,
  'true when the address of each number is asked for before the first message to it'
),
(
  'evolution', 'check_gap_s', 'seconds', false, null, '2', 0, 3600,
  'at least so long between two numbers that are asked about'
),
('evolution', 'timeout_s', 'seconds', false, null, '60', 0.1, 300, 'for a whole request'),
(
  'evolution', 'jwt_key', 'secret', false, null, null, null, null,
  'the jwt_key among the headers of the webhook: checks the token of each call'
),
(
  'evolution', 'webhook_secret', 'secret', false, null, null, null, null,
  'the X-Retoma-Secret among the headers of the webhook, which each call must carry'
)
on conflict (transport, key) do nothing;

-- Whether a server takes our message id depends on its version (2.4.0-rc1 or later): an older one ignores it without
-- an error. So nothing is assumed: the first answer shows it. Voice notes and buttons never carry an id. Audio is one
-- kind with voice notes, so it never dedupes either.
insert into retoma.transport_kind (transport, kind, dedupes_when, shows_id) values
('evolution', 'text', '[{}]', true),
('evolution', 'image', '[{}]', true),
('evolution', 'video', '[{}]', true),
('evolution', 'document', '[{}]', true),
('evolution', 'poll', '[{}]', true),
('evolution', 'audio', '[]', false),
('evolution', 'buttons', '[]', false)
on conflict (transport, kind) do nothing;

insert into retoma.content_limit (transport, kind, field, maximum, note) values
('evolution', 'poll', 'options', 10, 'the schema of the server'),
('evolution', 'buttons', 'buttons', 3, 'the server refuses more')
on conflict (transport, kind, field) do nothing;

insert into retoma.error_rule (transport, code, class, suppress, counts_attempt, defer_s, note) values
(
  'evolution', 'not_on_whatsapp', 'permanent_recipient', false, true, null,
  'the number check of the server found nobody, so nothing was sent'
),
('evolution', 'invalid_request', 'permanent_message', false, true, null, 'refused before the send'),
(
  'evolution', 'content_not_supported', 'permanent_message', false, true, null,
  'there is no request for this content: nothing was sent'
),
(
  'evolution', 'refused_while_sending', 'ambiguous', false, true, null,
  'one try block of the server holds the send and the work after it, so the message may be out'
),
(
  'evolution', 'connection_closed', 'ambiguous', false, true, null,
  'said to be thrown before the message is written, which the source does not prove'
),
('evolution', 'http_400', 'ambiguous', false, true, null, 'a 400 that is not in the form of the server'),
('evolution', 'unreadable_answer', 'ambiguous', false, true, null, 'a 2xx that is not in the form of the server'),
(
  'evolution', 'failed_before_sending', 'transient', false, true, 60,
  'the number check failed, or the medium could not be fetched'
),
(
  'evolution', 'connection_closed_before', 'transient', false, false, 30,
  'the instance is connecting again, so its number check failed'
),
(
  'evolution', 'license_required', 'channel_down', false, true, null,
  'activate the server: from 2.4.0 on it works only with a licence'
),
(
  'evolution', 'ack_error', 'permanent_recipient', false, true, null,
  'WhatsApp reported by receipt that the message was not sent'
)
on conflict (transport, code) do nothing;
