-- The pacing fits what each provider can bear. WAHA drives one WhatsApp Web session, so it sends one message at a time,
-- as a person would.
--
-- absent_proves. WAHA answers from its store, which it writes after the send. After a crash between the two, or under
-- another address of the same chat, it does not find a message that was sent. So "found" is a proof, and "absent" is
-- not. A webhook receiver answers 404 with JSON only when it has not taken the message and will not take it: this is
-- its contract (docs/guide/transports.md).
--
-- The only thing to ask WAHA by is our message id. WAHA takes it on the engines NOWEB and GOWS; both need their store.
insert into retoma.transport (name, pacing, looks_up_when, absent_proves, note) values
(
  'waha', '{"gap_min_s": 5, "gap_max_s": 15, "batch_gap_min_s": 15, "batch_gap_max_s": 30}',
  '[{"engine": "NOWEB", "store": true}, {"engine": "GOWS", "store": true}]', false,
  'WAHA, an HTTP gateway to WhatsApp Web'
),
('webhook', '{"max_in_flight": 32}', '[{"lookup": true}]', true, 'Any HTTP receiver of JSON'),
('null', '{"max_in_flight": 300}', '[]', false, 'Accepts everything inside the runner, for measurements')
on conflict (name) do nothing;
