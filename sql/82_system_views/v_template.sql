create or replace view retoma.v_template as
select
  c.name as channel,
  t.name as template,
  t.language,
  t.status,
  t.category,
  t.quality,
  case when t.named then 'named' else 'positional' end as variables,
  t.components,
  r.read_at,
  t.reported_at,
  coalesce(r.fault, case when not r.known then 'not read yet' end) as fault
from retoma_internal.reading as r
inner join retoma_internal.channel as c on r.channel_id = c.id
left join retoma_internal.template as t on r.channel_id = t.channel_id
where r.about = 'templates';

comment on view retoma.v_template is
'For operators: the templates of each channel whose provider has templates, as it listed and reported them. status: only
APPROVED can be sent. A channel without any has one row without a template. read_at: when the last list came; fault: why
none came the last time, or null.';
