create or replace view retoma.v_reply as
select
  r.id as reply_id,
  r.at,
  h.name as channel,
  c.name as campaign,
  coalesce(r.phone, k.phone) as phone,
  r.address,
  r.text,
  r.button,
  r.state,
  r.code,
  r.received_at,
  r.settled_at,
  r.settled_by
from retoma_internal.reply as r
inner join retoma_internal.channel as h on r.channel_id = h.id
left join retoma_internal.campaign as c on r.campaign_id = c.id
left join retoma_internal.alias as k on r.address = k.address and k.space = retoma_internal.address_space(h);

comment on view retoma.v_reply is
'For operators: messages from people, and what they led to. state: no_action; opted_out; outdated (the person opted in
later); waiting (a person has to read it: select retoma.resolve_reply(reply_id, ''opt_out'' | ''no_opt_out'')); settled.
phone: also where the provider hides it, as soon as it has named it elsewhere. code: why it waits, or waited: near_miss,
it may be an opt-out; no_number, the provider hides the number; settled_by "number learnt": it was named later, and the
opt-out holds. campaign: whose message
the person got last on this channel. Erased by cleanup().';
