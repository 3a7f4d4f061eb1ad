create or replace view retoma.v_campaign_summary as
select
  c.id as campaign_id,
  c.name as campaign,
  case when i.campaign_id is not null then 'interrupted' else c.status end as status,
  retoma_internal.mask_text(coalesce(i.reason, c.status_reason, t.fault, w.reason)) as reason,
  case
    when c.status = 'scheduled' then c.starts_at
    when i.campaign_id is null then w.waits_until
  end as waits_until,
  array(
    select h.name
    from retoma_internal.campaign_channel as cc
    inner join retoma_internal.channel as h on cc.channel_id = h.id
    where cc.campaign_id = c.id
    order by h.name
  ) as channels,
  b.total,
  b.pending,
  b.sending,
  b.sent,
  b.failed,
  b.skipped,
  b.in_doubt,
  b.cancelled,
  b.delivered,
  b.read,
  round(100.0 * (b.total - b.pending - b.sending - b.cancelled) / nullif(b.total, 0), 1) as progress_percent,
  b.batches,
  b.batches_done,
  c.created_at,
  c.starts_at,
  c.time_zone,
  c.started_at,
  c.finished_at,
  coalesce(r.messages, 0) as to_check,
  (
    select coalesce(sum(f.messages), 0)::int from retoma_internal.render_fault as f where f.campaign_id = c.id
  ) as cannot_be_made
from retoma_internal.campaign as c
inner join retoma_internal.campaign_totals as b on c.id = b.campaign_id
left join lateral (
  select tt.fault from retoma_internal.campaign_content as tt
  where tt.campaign_id = c.id and tt.fault is not null
  order by tt.variant
  limit 1
) as t on true
left join retoma_internal.left_to_render as r on c.id = r.campaign_id
left join retoma_internal.detect_interruptions() as i on c.id = i.campaign_id
left join retoma_internal.campaign_waits() as w on c.id = w.campaign_id;

comment on view retoma.v_campaign_summary is
'One row per campaign: status (draft, scheduled, running, paused, interrupted, completed, cancelled), why nothing is
sent and until when, and its books. to_check: recipients for whom no runner has rendered the content yet;
cannot_be_made: those for whom it cannot be, see v_render_fault.';
