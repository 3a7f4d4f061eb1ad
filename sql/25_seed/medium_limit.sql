-- Meta's "Supported media types" has the types and sizes of the official API. The gateways publish none: they hand the
-- same types to the same WhatsApp. A file that goes along with each message costs memory for each, so it has 16 MB at
-- most.
insert into retoma.medium_limit (transport, medium, mimetype, maximum, note)
select
  t.transport,
  m.medium,
  m.mimetype,
  least(m.megabytes, t.most) * 1048576,
  t.note
from (
  values
  ('image', 'image/jpeg', 5),
  ('image', 'image/png', 5),
  ('video', 'video/mp4', 16),
  ('video', 'video/3gpp', 16),
  ('audio', 'audio/aac', 16),
  ('audio', 'audio/amr', 16),
  ('audio', 'audio/mpeg', 16),
  ('audio', 'audio/mp4', 16),
  ('audio', 'audio/ogg', 16),
  ('document', 'text/plain', 100),
  ('document', 'application/pdf', 100),
  ('document', 'application/msword', 100),
  ('document', 'application/vnd.ms-excel', 100),
  ('document', 'application/vnd.ms-powerpoint', 100),
  ('document', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document', 100),
  ('document', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', 100),
  ('document', 'application/vnd.openxmlformats-officedocument.presentationml.presentation', 100)
) as m (medium, mimetype, megabytes)
cross join (
  values
  ('whatsapp_cloud', 100, 'Meta'),
  ('waha', 16, 'as the official API; it goes along with each message'),
  ('evolution', 16, 'as the official API; it goes along with each message'),
  ('webhook', 16, 'it goes along with each message'),
  ('null', 16, 'as a webhook')
) as t (transport, most, note)
on conflict (transport, medium, mimetype) do nothing;
