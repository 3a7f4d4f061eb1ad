insert into retoma_internal.content_field (kind, field, type, required, alternative, beside, distinct_values) values
('text', 'text', 'text', true, false, null, false),
('image', 'media', 'object', true, false, null, false),
('image', 'caption', 'text', false, false, null, false),
('video', 'media', 'object', true, false, null, false),
('video', 'caption', 'text', false, false, null, false),
('document', 'media', 'object', true, false, null, false),
('document', 'filename', 'line', true, false, null, false),
('document', 'caption', 'text', false, false, null, false),
('audio', 'media', 'object', true, false, null, false),
('audio', 'voice', 'flag', false, false, null, false),
('template', 'name', 'word', true, false, null, false),
('template', 'language', 'word', true, false, null, false),
('template', 'header', 'object', false, false, null, false),
('template', 'header.text', 'line', false, true, null, false),
('template', 'header.parameter', 'word', false, false, 'text', false),
('template', 'header.filename', 'line', false, false, 'document', false),
('template', 'header.location', 'object', false, true, null, false),
('template', 'header.location.latitude', 'number', true, false, null, false),
('template', 'header.location.longitude', 'number', true, false, null, false),
('template', 'header.location.name', 'line', false, false, null, false),
('template', 'header.location.address', 'line', false, false, null, false),
('template', 'body', 'texts', false, false, null, false),
('template', 'body[]', 'line', true, false, null, false),
('template', 'buttons', 'list', false, false, null, false),
('template', 'offer', 'object', false, false, null, false),
('template', 'offer.expires_at', 'time', true, false, null, false),
('template', 'cards', 'list', false, false, null, false),
('template', 'cards[]', 'object', true, false, null, false),
('template', 'cards[].header', 'object', true, false, null, false),
('template', 'cards[].body', 'texts', false, false, null, false),
('template', 'cards[].body[]', 'line', true, false, null, false),
('template', 'cards[].buttons', 'list', false, false, null, false),
('buttons', 'text', 'text', true, false, null, false),
('buttons', 'header', 'object', false, false, null, false),
('buttons', 'header.text', 'line', false, true, null, false),
('buttons', 'footer', 'text', false, false, null, false),
('buttons', 'buttons', 'list', true, false, null, false),
('buttons', 'buttons[]', 'object', true, false, null, false),
('buttons', 'buttons[].id', 'line', true, false, null, true),
('buttons', 'buttons[].title', 'line', true, false, null, true),
('list', 'text', 'text', true, false, null, false),
('list', 'button', 'line', true, false, null, false),
('list', 'header', 'object', false, false, null, false),
('list', 'header.text', 'line', true, false, null, false),
('list', 'footer', 'text', false, false, null, false),
('list', 'sections', 'list', true, false, null, false),
('list', 'sections[]', 'object', true, false, null, false),
('list', 'sections[].title', 'line', false, false, null, false),
('list', 'sections[].rows', 'list', true, false, null, false),
('list', 'sections[].rows[]', 'object', true, false, null, false),
('list', 'sections[].rows[].id', 'line', true, false, null, true),
('list', 'sections[].rows[].title', 'line', true, false, null, false),
('list', 'sections[].rows[].description', 'text', false, false, null, false),
('cta_url', 'text', 'text', true, false, null, false),
('cta_url', 'button', 'line', true, false, null, false),
('cta_url', 'url', 'link', true, false, null, false),
('cta_url', 'header', 'object', false, false, null, false),
('cta_url', 'header.text', 'line', false, true, null, false),
('cta_url', 'footer', 'text', false, false, null, false),
('poll', 'question', 'text', true, false, null, false),
('poll', 'options', 'list', true, false, null, false),
('poll', 'options[]', 'line', true, false, null, true),
('poll', 'multiple', 'flag', false, false, null, false)
on conflict (kind, field) do nothing;

-- Headers that are a medium.
insert into retoma_internal.content_field (kind, field, type, alternative)
select
  h.kind,
  h.header || '.' || m.medium,
  'object',
  true
from (
  values
  ('template', 'header', '{image,video,document}'::text[]),
  ('template', 'cards[].header', '{image,video}'),
  ('buttons', 'header', '{image,video,document}'),
  ('cta_url', 'header', '{image,video,document}')
) as h (kind, header, media)
cross join lateral unnest(h.media) as m (medium)
on conflict (kind, field) do nothing;

-- Each medium, of a header or not, has a link or the name of a stored file.
insert into retoma_internal.content_field (kind, field, type, alternative)
select
  m.kind,
  m.field || '.' || s.source,
  s.type,
  true
from retoma_internal.content_field as m
cross join (values ('link', 'link'), ('file', 'word')) as s (source, type)
where m.type = 'object' and m.field ~ '(^|[.])(media|image|video|document)$'
on conflict (kind, field) do nothing;

-- The buttons of a template, and of its cards.
insert into retoma_internal.content_field (kind, field, type, required, alternative)
select
  'template',
  c.card || f.field,
  f.type,
  f.required,
  f.alternative
from (values (''), ('cards[].')) as c (card)
cross join (
  values
  ('buttons[]', 'object', true, false),
  ('buttons[].index', 'index', true, false),
  ('buttons[].url', 'line', false, true),
  ('buttons[].payload', 'line', false, true),
  ('buttons[].coupon', 'line', false, true),
  ('buttons[].flow', 'object', false, true),
  ('buttons[].flow.token', 'line', false, false),
  ('buttons[].flow.data', 'json', false, false)
) as f (field, type, required, alternative)
on conflict (kind, field) do nothing;
