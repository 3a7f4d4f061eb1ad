create or replace view retoma.v_interrupted_campaigns as
select
  s.campaign,
  i.cause,
  i.reason,
  i.since,
  s.channels,
  s.pending,
  s.sending,
  s.sent,
  s.in_doubt,
  case i.cause
    when 'channel' then 'Reconnect the account, then: select retoma.channel_connected(channel); the campaign goes on by itself'
    when 'breaker' then 'Correct what the reason says, then: select retoma.resume_campaign(campaign)'
    else 'Start a runner: retoma worker; the campaign goes on by itself'
  end as what_to_do
from retoma.detect_interruptions() as i
inner join retoma.campaign as c on i.campaign_id = c.id
inner join retoma.v_campaign_summary as s on c.name = s.campaign
order by i.since;

comment on view retoma.v_interrupted_campaigns is 'Campaigns that should be running but cannot: why, since when, and what to do.';
