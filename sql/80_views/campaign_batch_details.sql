create or replace view retoma.campaign_batch_details as
select
  c.name as campaign,
  row_number() over (partition by b.campaign_id order by b.id) as number,
  b.id as batch_id,
  b.status,
  b.size,
  b.reserved,
  b.sent,
  b.failed,
  b.skipped,
  b.in_doubt,
  b.moved,
  b.delivered,
  b.read,
  b.attempt,
  b.zone,
  nullif(b.not_before, '-infinity') as not_before,
  h.name as channel,
  r.name as runner,
  b.lease_epoch,
  b.lease_expires_at,
  b.leased_at,
  b.completed_at
from retoma.batch as b
inner join retoma.campaign as c on b.campaign_id = c.id
left join retoma.channel as h on b.lease_channel_id = h.id
left join retoma.runner as r on b.runner_id = r.id;

comment on view retoma.campaign_batch_details is
'One row a batch: state, position (reserved of size), counters, who holds it. moved: messages that go on in a later batch.';
