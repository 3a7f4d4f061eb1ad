create or replace view retoma.campaign_batch_state as
select
  s.campaign_id,
  s.campaign,
  s.status,
  s.batches as total_batches,
  s.batches_done as completed_batches,
  current.number as current_batch,
  current.reserved as current_position,
  current.channel,
  current.runner,
  s.total as total_messages,
  s.sent,
  s.failed,
  s.in_doubt,
  s.pending,
  current.leased_at
from retoma.v_campaign_summary as s
left join lateral (
  select d.number, d.reserved, d.channel, d.runner, d.leased_at
  from retoma.campaign_batch_details as d
  where d.campaign_id = s.campaign_id and d.status = 'leased'
  order by d.leased_at desc
  limit 1
) as current on true;

comment on view retoma.campaign_batch_state is
'One row per campaign: how many of its batches are completed, and the position in the batch that was leased last.';
