create or replace view retoma.v_confirmation as
select
  c.id as confirmation_id,
  c.requested_at,
  h.name as channel,
  retoma_internal.mask_phone(c.phone) as phone,
  c.reply_id,
  c.state,
  c.why,
  c.message_id,
  c.provider_id,
  c.claimed_at,
  c.settled_at
from retoma_internal.confirmation as c
inner join retoma_internal.channel as h on c.channel_id = h.id;

comment on view retoma.v_confirmation is
'Answers to people who opted out by reply, on channels with the setting opt_out_confirmation. state: pending (it waits
for the pacing, the limits and the connection of its channel); sending; sent; failed; in_doubt (it may have been sent,
and is never sent again); expired. why: too_old, opted_in or no_text for expired; otherwise the code of error_rule, or
no_outcome. Erased by cleanup().';
