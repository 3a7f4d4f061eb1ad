-- WAHA drives one WhatsApp Web session, so it sends one message at a time, as a person would.
--
-- absent_proves. WAHA answers from its store, which it writes after the send. After a crash between the two, or under
-- another address of the same chat, it does not find a message that was sent. So "found" is a proof, and "absent" is
-- not.
--
-- The only thing to ask WAHA by is our message id. WAHA takes it on the engines NOWEB and GOWS; both need their store.
insert into retoma.transport (
  name, pacing, looks_up_when, absent_proves, checks_numbers, inlines_media_when, address_space, note
) values
(
  'waha', '{"gap_min_s": 5, "gap_max_s": 15, "batch_gap_min_s": 15, "batch_gap_max_s": 30}',
  '[{"engine": "NOWEB", "store": true}, {"engine": "GOWS", "store": true}]', false, true,
  '[{"media_as": "base64"}]', 'whatsapp_web', 'WAHA, an HTTP gateway to WhatsApp Web'
)
on conflict (name) do nothing;

insert into retoma.transport_reading (transport, about, every) values ('waha', 'account', '1 minute')
on conflict (transport, about) do nothing;

-- check_gap_s. No provider says how many questions WhatsApp allows. 2 seconds is a guess: faster than anything is sent,
-- and no faster than a person types.
--
-- The names of the engines are spelt as in WAHA. WEBJS is also the default of WAHA.
insert into retoma.transport_setting (
  transport, key, kind, required, choices, default_value, minimum, maximum, note
) values
('waha', 'base_url', 'url', true, null, null, null, null, 'address of the server, without /api'),
('waha', 'session', 'text', true, null, null, null, null, 'name of the session'),
('waha', 'api_key', 'secret', false, null, null, null, null, 'goes into the header X-Api-Key'),
('waha', 'engine', 'choice', false, '{WEBJS,WPP,NOWEB,GOWS}', '"WEBJS"', null, null, 'the engine of the server'),
('waha', 'store', 'flag', false, null, null, null, null, 'true when the engine keeps its messages'),
(
  'waha', 'convert', 'flag', false, null, 'true', null, null,
  'true when WAHA brings videos and voice notes into the form that WhatsApp plays'
),
(
  'waha', 'server_version', 'text', false, null, null, null, null,
  'a note: a new value makes Retoma look again whether the server takes our message ids'
),
(
  'waha', 'media_as', 'choice', false, '{link,base64}', '"link"', null, null,
  'base64 when stored files go along with each message; with link, media have links only'
),
(
  'waha', 'check_numbers', 'flag', false, null, 'true', null, null,
  'true when the address of each number is asked for before the first message to it'
),
(
  'waha', 'check_gap_s', 'seconds', false, null, '2', 0, 3600,
  'at least so long between two numbers that are asked about'
),
('waha', 'timeout_s', 'seconds', false, null, '30', 0.1, 300, 'for a whole request'),
('waha', 'webhook_hmac_key', 'secret', false, null, null, null, null, 'checks the webhooks of the session')
on conflict (transport, key) do nothing;

-- WAHA accepts our message id only on the engines NOWEB and GOWS, and only in newer versions. An older one ignores it
-- without an error, and the answer carries another id. Its description declares the id for texts and polls. GOWS hands
-- it on with media too, which nothing but the answer shows. A list never carries one, and WEBJS and WPP send none.
insert into retoma.transport_kind (transport, kind, dedupes_when, shows_id) values
('waha', 'text', '[{"engine": "NOWEB"}, {"engine": "GOWS"}]', true),
('waha', 'poll', '[{"engine": "NOWEB"}, {"engine": "GOWS"}]', true),
('waha', 'image', '[{"engine": "GOWS"}]', true),
('waha', 'video', '[{"engine": "GOWS"}]', true),
('waha', 'document', '[{"engine": "GOWS"}]', true),
('waha', 'audio', '[{"engine": "GOWS"}]', true),
('waha', 'list', '[]', false)
on conflict (transport, kind) do nothing;

insert into retoma.content_limit (transport, kind, field, maximum, note) values
('waha', 'poll', 'options', 12, 'the apps of WhatsApp show no more')
on conflict (transport, kind, field) do nothing;

insert into retoma.error_rule (transport, code, class, suppress, counts_attempt, defer_s, note) values
('waha', 'session_STARTING', 'transient', false, true, 15, 'the session will work in a moment'),
('waha', 'session_STOPPED', 'channel_down', false, true, null, 'start the session in WAHA'),
('waha', 'session_SCAN_QR_CODE', 'channel_down', false, true, null, 'scan the QR code in WAHA'),
('waha', 'session_PASSKEY_REQUIRED', 'channel_down', false, true, null, 'confirm the passkey on the phone'),
(
  'waha', 'session_PASSKEY_CONFIRMATION_REQUIRED', 'channel_down', false, true, null,
  'confirm the passkey on the phone'
),
('waha', 'session_FAILED', 'channel_down', false, true, null, 'restart the session in WAHA or pair the phone again'),
(
  'waha', 'session_OTHER', 'channel_down', false, true, null,
  'the session is in a status that this version does not know'
),
(
  'waha', 'content_not_supported', 'permanent_message', false, true, null,
  'WAHA has no request for this content, or its engine has none: nothing was sent'
),
(
  'waha', 'no_lid', 'permanent_recipient', false, true, null,
  'WhatsApp knows no address of this person, so nothing was sent'
),
(
  'waha', 'server_463', 'recipient_or_account', false, true, null,
  'WhatsApp refuses a new chat: this one, or all new ones of the account, which WAHA did not say'
),
(
  'waha', 'new_chats_locked', 'rate_limited_channel', false, true, 3600,
  'WhatsApp restricts the account for some time: it may begin no new chats'
),
(
  'waha', 'new_chat_refused', 'permanent_recipient', false, true, null,
  'WhatsApp lets this account not write to this person first; the account is not restricted'
),
('waha', 'server_479', 'transient', false, true, 60, 'WhatsApp refused once; one retry is enough to know'),
('waha', 'server_error', 'transient', false, true, 300, 'WhatsApp refused with another number'),
(
  'waha', 'ack_error', 'permanent_recipient', false, true, null,
  'WhatsApp reported by receipt that the message was not sent'
)
on conflict (transport, code) do nothing;
