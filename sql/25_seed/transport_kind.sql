-- WAHA accepts our message id only on the engines NOWEB and GOWS. A webhook receiver must say that it is idempotent.
insert into retoma.transport_kind (transport, kind, max_length, dedupes_when) values
('waha', 'text', null, '[{"engine": "NOWEB"}, {"engine": "GOWS"}]'),
('webhook', 'text', null, '[{"idempotent": true}]'),
('null', 'text', null, '[]')
on conflict (transport, kind) do nothing;
