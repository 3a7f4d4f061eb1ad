-- The meaning of errors that every transport can have. The file of a transport has the rules for its own codes. A rule
-- that exists is not changed, so the changes of an operator stay.
insert into retoma.error_rule (transport, code, class, suppress, counts_attempt, defer_s, note) values
(
  '*', 'connect_failed', 'transient', false, true, null,
  'nothing was written: refused, name lookup, TLS or connect time-out'
),
(
  '*', 'connection_lost', 'ambiguous', false, true, null,
  'the connection ended after the request may have been written'
),
('*', 'timeout', 'ambiguous', false, true, null, 'no answer in time; the request may have been taken'),
(
  '*', 'http_301', 'channel_down', false, true, null,
  'a redirect is never followed: the address in the settings is wrong'
),
(
  '*', 'http_302', 'channel_down', false, true, null,
  'a redirect is never followed: the address in the settings is wrong'
),
(
  '*', 'http_303', 'channel_down', false, true, null,
  'a redirect is never followed: the address in the settings is wrong'
),
(
  '*', 'http_307', 'channel_down', false, true, null,
  'a redirect is never followed: the address in the settings is wrong'
),
(
  '*', 'http_308', 'channel_down', false, true, null,
  'a redirect is never followed: the address in the settings is wrong'
),
('*', 'http_400', 'permanent_message', false, true, null, 'the provider does not understand the message'),
('*', 'http_401', 'auth', false, true, null, 'the key in the settings is missing or wrong'),
('*', 'http_403', 'auth', false, true, null, 'the key in the settings does not allow sending'),
(
  '*', 'http_404', 'channel_down', false, true, null,
  'nothing at this address, or no such session: the settings are wrong'
),
('*', 'http_405', 'channel_down', false, true, null, 'the address in the settings takes no messages'),
('*', 'http_408', 'ambiguous', false, true, null, 'the server gave up waiting; it may have taken the message'),
('*', 'http_409', 'permanent_message', false, true, null, 'the receiver refuses this message for good'),
('*', 'http_410', 'channel_down', false, true, null, 'the address in the settings is gone'),
('*', 'http_413', 'permanent_message', false, true, null, 'the message is too long for the provider'),
('*', 'http_415', 'permanent_message', false, true, null, 'the provider does not take JSON'),
('*', 'http_422', 'permanent_message', false, true, null, 'the receiver refuses this message for good'),
('*', 'http_429', 'rate_limited_channel', false, true, null, 'held for Retry-After, else longer with each time'),
('*', 'http_500', 'ambiguous', false, true, null, 'the provider may have taken the message before it failed'),
('*', 'http_502', 'ambiguous', false, true, null, 'a proxy lost the provider; the message may have been taken'),
('*', 'http_503', 'ambiguous', false, true, null, 'without Retry-After the message may have been taken'),
('*', 'http_504', 'ambiguous', false, true, null, 'a proxy waited too long; the message may have been taken'),
(
  '*', 'not_attempted', 'transient', false, false, 0,
  'the runner did not send it: it was stopping, or its lease was about to end'
),
('*', 'render_failed', 'permanent_message', false, true, null, 'the text cannot be rendered for this recipient'),
('*', 'text_empty', 'permanent_message', false, true, null, 'a text that is required is blank for this recipient'),
('*', 'text_too_long', 'permanent_message', false, true, null, 'a text is too long for this recipient'),
(
  '*', 'text_malformed', 'permanent_message', false, true, null,
  'a text has not the form of its field for this recipient, as an address or a line'
)
on conflict (transport, code) do nothing;
