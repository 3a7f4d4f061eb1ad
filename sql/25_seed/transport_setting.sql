-- The names of the engines are spelt as in WAHA. WEBJS is also the default of WAHA.
insert into retoma.transport_setting (
  transport, key, kind, required, choices, default_value, minimum, maximum, note
) values
('waha', 'base_url', 'url', true, null, null, null, null, 'address of the server, without /api'),
('waha', 'session', 'text', true, null, null, null, null, 'name of the session'),
('waha', 'api_key', 'secret', false, null, null, null, null, 'goes into the header X-Api-Key'),
('waha', 'engine', 'choice', false, '{WEBJS,WPP,NOWEB,GOWS}', '"WEBJS"', null, null, 'the engine of the server'),
('waha', 'store', 'flag', false, null, null, null, null, 'true when the engine keeps its messages'),
('waha', 'timeout_s', 'seconds', false, null, '30', 0.1, 300, 'for a whole request'),
('waha', 'webhook_hmac_key', 'secret', false, null, null, null, null, 'checks the webhooks of the session'),
('webhook', 'url', 'url', true, null, null, null, null, 'address that takes the messages'),
('webhook', 'secret', 'secret', false, null, null, null, null, 'signs what is sent, checks what comes back'),
('webhook', 'idempotent', 'flag', false, null, null, null, null, 'true when it honours Idempotency-Key'),
('webhook', 'lookup', 'flag', false, null, null, null, null, 'true when it answers GET url/<id>'),
('webhook', 'timeout_s', 'seconds', false, null, '30', 0.1, 300, 'for a whole request')
on conflict (transport, key) do nothing;
