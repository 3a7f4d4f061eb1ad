-- The pacing is what each provider can bear. WAHA drives one WhatsApp Web session: one message at a time, as a person
-- would send them.
--
-- What "absent" proves. WAHA answers from its own store, which is written after the send. A crash between the two, or
-- another address of the same chat, makes it miss a message that went out. So found is proof, and absent is not. A
-- webhook receiver answers 404 with JSON only when it has not taken the message and will not: that is its contract
-- (docs/guide/transports.md).
--
-- WAHA takes a message id of ours, the only thing to ask by, on the engines NOWEB and GOWS. Both need their store.
insert into retoma.transport (name, pacing, looks_up_when, absent_proves, note) values
(
  'waha', '{"gap_min_s": 5, "gap_max_s": 15, "batch_gap_min_s": 15, "batch_gap_max_s": 30}',
  '[{"engine": "NOWEB", "store": true}, {"engine": "GOWS", "store": true}]', false,
  'WAHA, an HTTP gateway to WhatsApp Web'
),
('webhook', '{"max_in_flight": 32}', '[{"lookup": true}]', true, 'Any HTTP receiver of JSON'),
('null', '{"max_in_flight": 300}', '[]', false, 'Accepts everything inside the runner, for measurements')
on conflict (name) do nothing;
