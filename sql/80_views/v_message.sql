create or replace view retoma.v_message as
select
  s.campaign_id,
  s.campaign,
  s.ordinal,
  retoma_internal.mask_phone(s.phone) as phone,
  s.state,
  s.attempt,
  retoma_internal.mask_text(s.code) as code,
  s.receipt,
  s.at,
  s.channel_id,
  h.name as channel,
  s.message_id,
  s.variant
from retoma.message_state as s
left join retoma_internal.channel as h on s.channel_id = h.id;

comment on view retoma.v_message is
'One row per message with its state; the number is masked. Filter by campaign and ordinal, or by campaign and
message_id.';
