create or replace view retoma.campaign_batch_details as
select
  b.campaign_id,
  c.name as campaign,
  row_number() over (partition by b.campaign_id, c.name order by b.id) as number,
  b.id as batch_id,
  b.status,
  b.size,
  b.reserved,
  b.sent,
  b.failed,
  b.skipped,
  b.in_doubt,
  b.requeued,
  b.delivered,
  b.read,
  b.attempt,
  b.zone,
  case when isfinite(b.not_before) then b.not_before end as not_before,
  b.status = 'ready' and b.not_before = 'infinity' as checks_numbers,
  b.lease_channel_id as channel_id,
  h.name as channel,
  b.runner_id,
  r.name as runner,
  b.lease_epoch,
  b.lease_expires_at,
  b.leased_at,
  b.completed_at
from retoma_internal.batch as b
inner join retoma_internal.campaign as c on b.campaign_id = c.id
left join retoma_internal.channel as h on b.lease_channel_id = h.id
left join retoma_internal.runner as r on b.runner_id = r.id;

comment on view retoma.campaign_batch_details is
'One row per batch: status, position (reserved of size), counters and the runner that holds it. requeued: messages that
continue in a later batch. checks_numbers: it waits until the addresses of its messages are known.';
