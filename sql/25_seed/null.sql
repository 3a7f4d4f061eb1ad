insert into retoma.transport (name, pacing, inlines_media_when, note) values
('null', '{"max_in_flight": 300}', '[{}]', 'Accepts everything inside the runner, for measurements')
on conflict (name) do nothing;

insert into retoma.transport_kind (transport, kind)
select
  'null',
  k.kind
from retoma.content_kind as k
on conflict (transport, kind) do nothing;
