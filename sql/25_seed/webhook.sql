-- absent_proves. A receiver answers 404 with JSON only when it has not taken the message and will not take it: this is
-- its contract (docs/guide/transports.md).
insert into retoma.transport (name, pacing, looks_up_when, absent_proves, inlines_media_when, note) values
(
  'webhook', '{"max_in_flight": 100, "max_leases": 3}', '[{"lookup": true}]', true, '[{"media_as": "base64"}]',
  'Any HTTP receiver of JSON'
)
on conflict (name) do nothing;

insert into retoma.transport_setting (
  transport, key, kind, required, choices, default_value, minimum, maximum, note
) values
('webhook', 'url', 'url', true, null, null, null, null, 'address that takes the messages'),
('webhook', 'secret', 'secret', false, null, null, null, null, 'signs what is sent, checks what comes back'),
('webhook', 'idempotent', 'flag', false, null, null, null, null, 'true when it honours Idempotency-Key'),
('webhook', 'lookup', 'flag', false, null, null, null, null, 'true when it answers GET url/<id>'),
(
  'webhook', 'media_as', 'choice', false, '{link,base64}', '"link"', null, null,
  'base64 when stored files go along with each message; with link, media have links only'
),
('webhook', 'timeout_s', 'seconds', false, null, '30', 0.1, 300, 'for a whole request')
on conflict (transport, key) do nothing;

-- The receiver gets each kind as JSON, and must say that it is idempotent.
insert into retoma.transport_kind (transport, kind, dedupes_when, shows_id)
select 'webhook', k.kind, '[{"idempotent": true}]', false
from retoma.content_kind as k
on conflict (transport, kind) do nothing;

insert into retoma.error_rule (transport, code, class, suppress, counts_attempt, defer_s, note) values
('webhook', 'http_503_retry_after', 'rate_limited_channel', false, true, null, 'the receiver asks for a pause')
on conflict (transport, code) do nothing;
