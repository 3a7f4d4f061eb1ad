create or replace view retoma.v_account as
select
  c.id as channel_id,
  c.name as channel,
  c.transport,
  g.name as channel_group,
  a.connected,
  a.server,
  a.quality,
  a.people_per_day,
  a.rate_per_s,
  r.read_at,
  r.next_at,
  retoma_internal.mask_text(r.fault) as fault
from retoma_internal.channel as c
inner join retoma.transport_reading as t on c.transport = t.transport and t.about = 'account'
left join retoma_internal.channel_group as g on c.channel_group_id = g.id
left join retoma_internal.reading as r on c.id = r.channel_id and r.about = t.about
left join retoma_internal.account as a on c.id = a.channel_id;

comment on view retoma.v_account is
'One row per channel whose provider can be asked about its account: what it said, when, and why not the last time
(fault). people_per_day: to how many people the account, or its whole portfolio, may begin conversations in 24 hours.';
