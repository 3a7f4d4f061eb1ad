-- The defaults are what each provider can bear. WAHA drives one WhatsApp Web session: one message at a time, as a
-- person would send them.
insert into retoma.transport (
  name, required_settings, optional_settings, gap_min, gap_max, batch_gap_min, batch_gap_max, rate_per_s,
  max_in_flight, note
) values
(
  'waha', '{base_url,session}', '{api_key,engine,store,timeout_s,webhook_hmac_key}', '5 s', '15 s', '15 s', '30 s',
  null, 1, 'WAHA, an HTTP gateway to WhatsApp Web'
),
(
  'webhook', '{url}', '{secret,idempotent,lookup,timeout_s}', '0 s', '0 s', '0 s', '0 s',
  null, 32, 'Any HTTP receiver of JSON'
),
('null', '{}', '{}', '0 s', '0 s', '0 s', '0 s', null, 300, 'Accepts everything inside the runner, for measurements')
on conflict (name) do nothing;
