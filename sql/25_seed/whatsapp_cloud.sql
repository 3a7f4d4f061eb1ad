-- WhatsApp Business Cloud API, at Meta or through a provider that passes it on (360dialog, Gupshup).
--
-- It takes no id of ours, has no idempotency key, and cannot be asked by our id. So nothing is deduped, nothing is
-- looked up, and a message in doubt is settled by the webhook that carries our id. A phone number may send 80 messages
-- per second, or 20 when it is also used in the app; an operator raises the rate up to what Meta shows. Meta keeps an
-- uploaded file for 30 days.
--
-- address_space_of. Meta gives a person one id for each business (user_id, BR.…). An account belongs to one business.
insert into retoma.transport (
  name, pacing, looks_up_when, absent_proves, keeps_media_for, address_space, address_space_of, note
) values
(
  'whatsapp_cloud', '{"rate_per_s": 20, "burst": 20, "max_in_flight": 32}', '[]', false, '30 days',
  'whatsapp_cloud', 'waba_id', 'WhatsApp Business Cloud API, the official one'
)
on conflict (name) do nothing;

insert into retoma.transport_reading (transport, about, every) values
('whatsapp_cloud', 'account', '15 minutes'),
('whatsapp_cloud', 'templates', '10 minutes')
on conflict (transport, about) do nothing;

-- path. Meta: version and phone number in the path. 360dialog: /{endpoint}. Gupshup: base_url ends with
-- /partner/app/APP_ID/v3, and path is /message. media_path follows the same pattern: at 360dialog it is /media.
insert into retoma.transport_setting (
  transport, key, kind, required, choices, default_value, minimum, maximum, note
) values
(
  'whatsapp_cloud', 'base_url', 'url', false, null, '"https://graph.facebook.com"', null, null,
  'address of the API, without the version'
),
('whatsapp_cloud', 'version', 'text', false, null, '"v25.0"', null, null, 'version of the API, in the path'),
(
  'whatsapp_cloud', 'path', 'text', false, null, '"/{version}/{phone_number_id}/{endpoint}"', null, null,
  'path of a request after base_url'
),
(
  'whatsapp_cloud', 'media_path', 'text', false, null, '"/{version}/{phone_number_id}/media"', null, null,
  'path of an upload after base_url'
),
(
  'whatsapp_cloud', 'phone_number_id', 'text', false, null, null, null, null,
  'Meta''s id of the sender (not the number); reports about other senders are passed over'
),
(
  'whatsapp_cloud', 'waba_id', 'text', false, null, null, null, null,
  'Meta''s id of the account; reports about other accounts are passed over'
),
(
  'whatsapp_cloud', 'access_token', 'secret', true, null, null, null, null,
  'goes into the header auth_header'
),
(
  'whatsapp_cloud', 'auth_header', 'text', false, null, '"Authorization: Bearer"', null, null,
  'name of the header for the token, and after a colon the word before it'
),
(
  'whatsapp_cloud', 'endpoint', 'choice', false, '{messages,marketing_messages}', '"messages"', null, null,
  'where templates are sent to; marketing_messages requires an account that was onboarded for it'
),
(
  'whatsapp_cloud', 'product_policy', 'choice', false, '{CLOUD_API_FALLBACK,STRICT}', '"CLOUD_API_FALLBACK"',
  null, null, 'with marketing_messages: what Meta does with a template that does not qualify'
),
('whatsapp_cloud', 'app_secret', 'secret', false, null, null, null, null, 'checks the webhooks of the app'),
(
  'whatsapp_cloud', 'app_secret_old', 'secret', false, null, null, null, null,
  'also accepted, while app_secret is being replaced'
),
(
  'whatsapp_cloud', 'webhook_token', 'secret', false, null, null, null, null,
  'webhooks must bring it as "Authorization: Bearer …"; for a provider in between that does not sign'
),
(
  'whatsapp_cloud', 'verify_token', 'secret', false, null, null, null, null,
  'the token that is given to Meta together with the address of the webhook'
),
('whatsapp_cloud', 'timeout_s', 'seconds', false, null, '30', 0.1, 300, 'for a whole request')
on conflict (transport, key) do nothing;

-- A poll does not exist here.
insert into retoma.transport_kind (transport, kind)
select 'whatsapp_cloud', k.kind
from retoma.content_kind as k
where k.kind <> 'poll'
on conflict (transport, kind) do nothing;

-- By Meta's reference of messages; those marked "providers" stand only in the documents of others (Gupshup, Sinch).
insert into retoma.content_limit (transport, kind, field, maximum, note) values
('whatsapp_cloud', 'text', 'text', 4096, 'Meta'),
('whatsapp_cloud', 'image', 'caption', 1024, 'Meta'),
('whatsapp_cloud', 'video', 'caption', 1024, 'Meta'),
('whatsapp_cloud', 'document', 'caption', 1024, 'Meta'),
('whatsapp_cloud', 'template', 'buttons', 10, 'Meta'),
('whatsapp_cloud', 'template', 'cards', 10, 'Meta'),
('whatsapp_cloud', 'template', 'cards[].buttons', 2, 'Meta'),
('whatsapp_cloud', 'buttons', 'text', 1024, 'Meta'),
('whatsapp_cloud', 'buttons', 'header.text', 60, 'providers'),
('whatsapp_cloud', 'buttons', 'footer', 60, 'providers'),
('whatsapp_cloud', 'buttons', 'buttons', 3, 'Meta'),
('whatsapp_cloud', 'buttons', 'buttons[].id', 256, 'Meta'),
('whatsapp_cloud', 'buttons', 'buttons[].title', 20, 'Meta'),
('whatsapp_cloud', 'list', 'text', 4096, 'Meta'),
('whatsapp_cloud', 'list', 'header.text', 60, 'providers'),
('whatsapp_cloud', 'list', 'footer', 60, 'providers'),
('whatsapp_cloud', 'list', 'button', 20, 'Meta'),
('whatsapp_cloud', 'list', 'sections', 10, 'Meta'),
('whatsapp_cloud', 'list', 'sections[].title', 24, 'Meta'),
('whatsapp_cloud', 'list', 'rows', 10, 'Meta: in all sections'),
('whatsapp_cloud', 'list', 'sections[].rows[].id', 200, 'Meta'),
('whatsapp_cloud', 'list', 'sections[].rows[].title', 24, 'Meta'),
('whatsapp_cloud', 'list', 'sections[].rows[].description', 72, 'Meta'),
('whatsapp_cloud', 'cta_url', 'text', 1024, 'Meta'),
('whatsapp_cloud', 'cta_url', 'header.text', 60, 'providers'),
('whatsapp_cloud', 'cta_url', 'footer', 60, 'providers'),
('whatsapp_cloud', 'cta_url', 'button', 20, 'Meta')
on conflict (transport, kind, field) do nothing;

-- The codes are those of Meta: developers.facebook.com, "Cloud API error codes". A code of validation, authorization,
-- account, template or limit proves that nothing was taken. Codes that prove nothing are ambiguous, and so is every
-- code without a row, every code after a status 5xx (cloud_…_5xx), and every answer that is not Meta's own JSON.
insert into retoma.error_rule (transport, code, class, suppress, counts_attempt, defer_s, note)
select 'whatsapp_cloud', r.code, r.class, r.suppress, true, r.defer_s, r.note
from (
  values
  ('cloud_1', 'ambiguous', false, null, 'unknown error of the API'),
  ('cloud_2', 'ambiguous', false, null, 'service not available'),
  ('cloud_131000', 'ambiguous', false, null, 'something went wrong'),
  ('cloud_131016', 'ambiguous', false, null, 'service overloaded'),
  ('cloud_133004', 'ambiguous', false, null, 'server not available'),
  ('cloud_2494100', 'ambiguous', false, null, 'the number is in maintenance'),
  ('unreadable_answer', 'ambiguous', false, null, 'the answer is good, but carries no id of a message'),
  ('bad_content', 'permanent_message', false, null, 'the content of this message cannot be said to this API'),
  ('cloud_131057', 'transient', false, 60, 'the throughput of the number is being raised: a minute at most'),
  ('cloud_134101', 'transient', false, 600, 'the template is not yet synchronised: up to 10 minutes'),
  ('cloud_4', 'rate_limited_channel', false, null, 'too many calls of the app'),
  ('cloud_80007', 'rate_limited_channel', false, null, 'too many calls for the account'),
  ('cloud_130429', 'rate_limited_channel', false, null, 'more messages per second than the number may send'),
  -- Time does not heal these two, and a person has to look.
  ('cloud_131048', 'channel_down', false, null, 'people block or report this number: Meta limits it for spam'),
  ('cloud_131064', 'channel_down', false, null, 'Meta limits the account for the class of its templates'),
  ('cloud_131056', 'rate_limited_recipient', false, null, 'too many messages to this person in a short time'),
  ('cloud_131049', 'rate_limited_recipient', false, 86400, 'this person got enough marketing: a day at least'),
  ('cloud_131050', 'permanent_recipient', true, null, 'this person wants no marketing from the business'),
  ('cloud_131026', 'permanent_recipient', false, null, 'cannot be delivered: Meta does not say which of many causes'),
  ('cloud_131021', 'permanent_recipient', false, null, 'the recipient is the sender'),
  ('cloud_131030', 'permanent_recipient', false, null, 'not on the list of a number for tests'),
  ('cloud_130403', 'permanent_recipient', false, null, 'the business has blocked this person'),
  ('cloud_130472', 'permanent_recipient', false, null, 'this person is part of an experiment of Meta'),
  ('cloud_130497', 'permanent_recipient', false, null, 'the account may not send to this country'),
  ('cloud_131062', 'permanent_recipient', false, null, 'this id of a person cannot be used here'),
  ('cloud_137000', 'permanent_recipient', false, null, 'the identity key of this person has changed'),
  ('cloud_100', 'permanent_message', false, null, 'a parameter is wrong'),
  ('cloud_131008', 'permanent_message', false, null, 'a parameter is missing'),
  ('cloud_131009', 'permanent_message', false, null, 'the value of a parameter is wrong'),
  ('cloud_131047', 'permanent_message', false, null, 'more than 24 hours since this person wrote: use a template'),
  ('cloud_131051', 'permanent_message', false, null, 'messages of this type cannot be sent'),
  ('cloud_131052', 'permanent_message', false, null, 'a medium cannot be downloaded'),
  ('cloud_131053', 'permanent_message', false, null, 'a medium cannot be fetched, or is of a wrong type'),
  ('cloud_131055', 'permanent_message', false, null, 'this kind of message is not allowed here'),
  ('cloud_132000', 'permanent_message', false, null, 'the template has another number of parameters'),
  ('cloud_132001', 'permanent_message', false, null, 'no such template in this language, or not approved'),
  ('cloud_132005', 'permanent_message', false, null, 'the template is too long with these parameters'),
  ('cloud_132007', 'permanent_message', false, null, 'the template breaks a policy of Meta'),
  ('cloud_132008', 'permanent_message', false, null, 'a parameter of the template has a wrong format'),
  ('cloud_132012', 'permanent_message', false, null, 'a parameter of the template has another type'),
  ('cloud_132015', 'campaign_down', false, null, 'the template is paused because of its quality'),
  ('cloud_132016', 'campaign_down', false, null, 'the template is disabled for good'),
  ('cloud_132018', 'permanent_message', false, null, 'a parameter has a line break, a tab or too many blanks'),
  ('cloud_132068', 'campaign_down', false, null, 'the Flow of the template is blocked'),
  ('cloud_132069', 'campaign_down', false, null, 'the Flow of the template is throttled'),
  ('cloud_131063', 'campaign_down', false, null, 'marketing has to go through the endpoint marketing_messages'),
  ('cloud_134100', 'permanent_message', false, null, 'only marketing templates can be sent there'),
  ('cloud_134102', 'permanent_message', false, null, 'the template cannot be sent there'),
  ('cloud_135000', 'permanent_message', false, null, 'a parameter of the message is wrong'),
  ('cloud_139000', 'campaign_down', false, null, 'the Flow does not pass the checks of Meta'),
  ('cloud_139200', 'campaign_down', false, null, 'direct sending is blocked'),
  ('cloud_33', 'channel_down', false, null, 'the phone number was deleted, or the id is wrong'),
  ('cloud_368', 'channel_down', false, null, 'the account is restricted for breaking a policy'),
  ('cloud_131031', 'channel_down', false, null, 'the account is locked'),
  ('cloud_131037', 'channel_down', false, null, 'the number has no approved display name'),
  ('cloud_131042', 'channel_down', false, null, 'there is a problem with the payment of the account'),
  ('cloud_131045', 'channel_down', false, null, 'the number is not registered correctly'),
  ('cloud_133000', 'channel_down', false, null, 'an earlier deregistration was not completed'),
  ('cloud_133005', 'channel_down', false, null, 'the two-step PIN is wrong'),
  ('cloud_133006', 'channel_down', false, null, 'the number has to be verified again'),
  ('cloud_133007', 'channel_down', false, null, 'the number is blocked'),
  ('cloud_133008', 'channel_down', false, null, 'the two-step PIN was given too often'),
  ('cloud_133009', 'channel_down', false, null, 'the two-step PIN was given too quickly'),
  ('cloud_133010', 'channel_down', false, null, 'the number is not registered with the API'),
  ('cloud_133015', 'channel_down', false, null, 'the number was deleted a moment ago'),
  ('cloud_133016', 'channel_down', false, null, 'too many registrations of the number'),
  ('cloud_134011', 'channel_down', false, null, 'the terms of payments have to be accepted'),
  ('cloud_136024', 'channel_down', false, null, 'the number cannot be verified again yet'),
  ('cloud_0', 'auth', false, null, 'the access token is not valid'),
  ('cloud_3', 'auth', false, null, 'the app may not use this'),
  ('cloud_10', 'auth', false, null, 'the access token has no permission for this'),
  ('cloud_190', 'auth', false, null, 'the access token has expired'),
  ('cloud_131005', 'auth', false, null, 'the access token has no permission for this'),
  ('hub_400', 'channel_down', false, null, 'the provider in between has disabled the account, or is not paid'),
  ('hub_401', 'auth', false, null, 'the key for the provider in between is wrong'),
  ('hub_403', 'auth', false, null, 'the provider in between does not allow this'),
  ('hub_rate_limit', 'rate_limited_channel', false, null, 'too many calls for the provider in between')
) as r (code, class, suppress, defer_s, note)
union all
select
  'whatsapp_cloud', 'cloud_' || n.code, 'auth', false, true, null::int, 'the access token has no permission for this'
from generate_series(200, 299) as n (code)
union all
select
  'whatsapp_cloud', 'http_' || n.status, 'ambiguous', false, true, null::int,
  'the answer is not Meta''s own: a proxy may have written it after the message was taken'
from unnest('{400,401,403,404,405,409,410,413,415,422,429}'::int[]) as n (status)
on conflict (transport, code) do nothing;
