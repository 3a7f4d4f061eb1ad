create or replace view retoma.v_in_doubt as
select
  d.campaign_id,
  c.name as campaign,
  d.ordinal,
  retoma_internal.mask_phone(m.phone) as phone,
  d.channel_id,
  h.name as channel,
  retoma_internal.mask_text(d.code) as code,
  d.at as since,
  retoma_internal.message_id(c.token, d.ordinal) as message_id
from retoma_internal.delivery as d
inner join retoma_internal.campaign as c on d.campaign_id = c.id
inner join retoma_internal.message as m on d.campaign_id = m.campaign_id and d.ordinal = m.ordinal
inner join retoma_internal.channel as h on d.channel_id = h.id
where d.outcome = 'in_doubt';

comment on view retoma.v_in_doubt is
'Messages in doubt: they were handed to a runner, and their outcome was never learnt. A receipt, a lookup or an operator
settles them: select retoma.resolve_in_doubt(campaign, ''sent'' | ''failed'' | ''resend'').';
