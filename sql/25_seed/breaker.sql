-- Doubts cost the most, because a person has to settle each. Errors that prove that nothing was taken cost a delay, so
-- the channel only waits. A list can have many dead numbers in a row, and each of them is an answer of a provider that
-- works. A row that exists is not changed, so the changes of an operator stay.
insert into retoma.breaker (failure, threshold, action, note) values
('ambiguous', 5, 'pause', 'errors 5xx, time-outs, lost connections: the messages may have been taken'),
('transient', 20, 'hold', 'refused connections and other errors before anything was taken'),
('rate_limited_recipient', 20, 'hold', 'limits of single recipients, one after the other'),
('permanent_recipient', 50, 'pause', 'no recipient can be reached: it is hardly the recipients'),
(
  'recipient_or_account', 3, 'pause',
  'refusals that mean one recipient, or the account: several in a row are the account'
),
('failed_receipt', 10, 'pause', 'everything is accepted, and then reported as failed')
on conflict (failure) do nothing;
