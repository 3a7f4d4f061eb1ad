-- Starts from the batches that are leased, which are few. The place of such a batch among those of its campaign is
-- counted; to number all batches of all campaigns for it took minutes.
create or replace view retoma.campaign_batch_state as
select
  s.campaign_id,
  s.campaign,
  s.status,
  s.reason,
  s.waits_until,
  s.batches as total_batches,
  s.batches_done as completed_batches,
  case
    when current.id is not null then (
      select count(*) from retoma_internal.batch as b where b.campaign_id = s.campaign_id and b.id <= current.id
    )
  end as current_batch,
  current.reserved as current_position,
  h.name as channel,
  r.name as runner,
  s.total as total_messages,
  s.sent,
  s.failed,
  s.in_doubt,
  s.pending,
  current.leased_at
from retoma.v_campaign_summary as s
left join (
  select distinct on (b.campaign_id) b.*
  from retoma_internal.batch as b
  where b.status = 'leased'
  order by b.campaign_id asc, b.leased_at desc
) as current on s.campaign_id = current.campaign_id
left join retoma_internal.channel as h on current.lease_channel_id = h.id
left join retoma_internal.runner as r on current.runner_id = r.id;

comment on view retoma.campaign_batch_state is
'One row per campaign: how many of its batches are completed, the position in the batch that was leased last, and, when
nothing is sent, why and until when.';
