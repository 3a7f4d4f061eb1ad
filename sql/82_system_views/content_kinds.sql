create or replace view retoma.content_kinds as
select
  k.kind,
  k.transport,
  l.field,
  l.maximum,
  k.dedupes_when,
  coalesce(l.note, c.note) as note
from retoma.transport_kind as k
inner join retoma.content_kind as c on k.kind = c.kind
left join retoma.content_limit as l on k.transport = l.transport and k.kind = l.kind;

comment on view retoma.content_kinds is
'What each transport sends: a row for each kind, or for each limit where a kind has some (field and maximum, as in
content_limit). dedupes_when: on channels whose settings contain one of these patterns, a recipient sees a message only
once when it is sent again.';
