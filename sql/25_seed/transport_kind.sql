-- WAHA accepts our message id only on the engines NOWEB and GOWS, and only in newer versions. An older one ignores it
-- without an error, and the answer carries another id. A webhook receiver must say that it is idempotent.
insert into retoma.transport_kind (transport, kind, max_length, dedupes_when, shows_id) values
('waha', 'text', null, '[{"engine": "NOWEB"}, {"engine": "GOWS"}]', true),
('webhook', 'text', null, '[{"idempotent": true}]', false),
('null', 'text', null, '[]', false)
on conflict (transport, kind) do nothing;
