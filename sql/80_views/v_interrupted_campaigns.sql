create or replace view retoma.v_interrupted_campaigns as
select
  s.campaign_id,
  s.campaign,
  i.cause,
  retoma_internal.mask_text(i.reason) as reason,
  i.since,
  s.channels,
  s.pending,
  s.sending,
  s.sent,
  s.in_doubt,
  case i.cause
    when 'channel' then (
      select retoma_internal.listed(
        array_agg(
          format(
            case
              when h.paused then 'select retoma.resume_channel(%L)'
              when h.connected
                then 'get the template approved on %1$s; then: select retoma.refresh_channel(%1$L)'
              else 'reconnect %1$s, then: select retoma.channel_connected(%1$L)'
            end,
            h.name
          )
          order by h.name
        ),
        '; or '
      )
      from retoma_internal.campaign_channel as cc
      inner join retoma_internal.channel as h on cc.channel_id = h.id
      where cc.campaign_id = c.id
    )
    when 'breaker' then format('Correct what the reason says, then: select retoma.resume_campaign(%L)', c.name)
    when 'content' then
      case
        when exists (
          select from retoma_internal.campaign_content as t where t.campaign_id = c.id and t.fault is not null
        ) then format(
          'Its content is fixed: create a new campaign with another; then: select retoma.cancel_campaign(%L)', c.name
        )
        else format('Upgrade the runner that refused its content, then: select retoma.resume_campaign(%L)', c.name)
      end
    when 'defect' then format(
      'Correct what the reason says, and read v_tick_failure; then: select retoma.resume_campaign(%L)', c.name
    )
    else
      case
        when exists (select from retoma_internal.live_runners()) then
          'Give a runner what the reason says, and start it again; the campaign continues by itself'
        else
          'Start a runner: retoma runner; the campaign continues by itself. If one is running, its log says why it '
          'cannot write: the disk of the database may be full'
      end
  end as what_to_do
from retoma_internal.detect_interruptions() as i
inner join retoma_internal.campaign as c on i.campaign_id = c.id
inner join retoma.v_campaign_summary as s on c.id = s.campaign_id;

comment on view retoma.v_interrupted_campaigns is
'Campaigns that should be running but cannot: the cause, the reason, since when, and what to do.';
