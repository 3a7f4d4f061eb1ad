-- The partitions are found by campaign and ordinal. A filter by message_id alone reads all of them.
create or replace view retoma.v_delivery as
select
  c.name as campaign,
  d.campaign_id,
  d.ordinal,
  d.attempt,
  d.outcome,
  retoma_internal.mask_text(d.code) as code,
  d.http_status,
  d.at,
  h.name as channel,
  d.channel_id,
  d.batch_id,
  d.lease_epoch,
  retoma_internal.mask_text(d.provider_id) as provider_id,
  d.receipt,
  d.receipt_at,
  retoma_internal.message_id(c.token, d.ordinal) as message_id
from retoma_internal.delivery as d
inner join retoma_internal.campaign as c on d.campaign_id = c.id
inner join retoma_internal.channel as h on d.channel_id = h.id;

comment on view retoma.v_delivery is
'One row per attempt to send a message: its outcome, the code of the provider, and the best receipt. Filter by
campaign.';
