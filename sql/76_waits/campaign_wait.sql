-- Each reason is found for all campaigns at once; the first that holds for a campaign is shown. A campaign whose
-- batches are being sent, or can be leased now, does not wait.
create or replace view retoma_internal.campaign_wait as
with moment as materialized (
  select t.at, s.lease_duration as lease
  from retoma.setting as s cross join lateral (select retoma.clock() as at) as t
),

zones as materialized (select z.* from retoma_internal.zone_wait as z),

channels as materialized (
  select cc.campaign_id, w.*
  from retoma_internal.channel_wait as w
  inner join retoma_internal.campaign_channel as cc on w.channel_id = cc.channel_id
  inner join retoma_internal.campaign as c on cc.campaign_id = c.id
  where c.status = 'running'
  union all
  select cc.campaign_id, h.id, 'channel', format('channel %s: %s', h.name, cc.fault), null
  from retoma_internal.campaign_channel as cc
  inner join retoma_internal.channel as h on cc.channel_id = h.id
  inner join retoma_internal.campaign as c on cc.campaign_id = c.id
  where c.status = 'running' and cc.fault is not null and h.connected and not h.paused
),

found (campaign_id, place, cause, reason, waits_until) as (
  select
    t.campaign_id, 1, 'content', 'its text is waiting for a runner to check it', null::timestamptz
  from retoma_internal.campaign_content as t
  where t.required_variables is null and t.fault is null
  union all
  select w.campaign_id, 1, 'content', format('its file %s is waiting to be uploaded', min(w.name)), null
  from retoma_internal.medium_wait as w
  inner join retoma_internal.campaign as c on w.campaign_id = c.id
  where c.status = 'running'
  group by w.campaign_id
  having count(distinct w.channel_id) = (
    select count(*) from retoma_internal.campaign_channel as cc where cc.campaign_id = w.campaign_id
  )
  union all
  select k.campaign_id, 1, 'lock', k.reason, null
  from retoma_internal.campaign_locks() as k
  where not exists (select from zones as z where z.campaign_id = k.campaign_id) or exists (
    select from zones as z
    where z.campaign_id = k.campaign_id and coalesce(z.cause, 'channel') in ('channel', 'numbers')
  )
  union all
  select
    b.campaign_id, 2, 'runner',
    format('runner %s has not reported for long: is it frozen, or the disk of the database full?', max(r.name)),
    max(b.lease_expires_at)
  from moment as n
  cross join retoma_internal.batch as b
  inner join retoma_internal.runner as r on b.runner_id = r.id
  inner join retoma_internal.campaign as c on b.campaign_id = c.id
  where b.status = 'leased' and c.status = 'running'
  group by b.campaign_id, n.at, n.lease
  having max(b.lease_expires_at) < n.at + n.lease / 3
  union all
  select l.subject_id, 3, 'limit', 'its ' || retoma_internal.limit_in_words(l) || ' is used up', l.exhausted_until
  from moment as n
  cross join retoma_internal.limit_rule as l
  where l.scope = 'campaign' and l.exhausted_until > n.at
    and l.subject_id in (select z.campaign_id from zones as z)
  union all
  select
    z.campaign_id, 4, coalesce(h.cause, z.cause),
    case
      when h.reason is not null then h.reason
      when z.cause = 'numbers' then 'the numbers of its next batch are being checked'
        || coalesce(': ' || g.known || ' of ' || g.size, '')
      when z.cause = 'retry' then 'its last messages wait for another attempt'
      when z.waits_until is null then 'its windows are never open in all time zones of a recipient'
      else 'it is outside its windows'
    end,
    coalesce(h.waits_until, z.waits_until)
  from zones as z
  left join channels as h
    on z.cause = 'channel' and z.campaign_id = h.campaign_id and h.channel_id = coalesce(z.channel_id, h.channel_id)
  left join lateral (
    select q.known, b.size
    from retoma_internal.number_checking as q
    inner join retoma_internal.batch as b on q.batch_id = b.id
    where z.cause = 'numbers' and b.campaign_id = z.campaign_id and b.not_before = 'infinity'
    order by q.next_at desc
    limit 1
  ) as g on true
  where z.campaign_id not in (select m.campaign_id from zones as m where m.cause is null)
  union all
  select h.campaign_id, 5, h.cause, h.reason || '; its other channels go on', null
  from channels as h
  where h.cause = 'channel'
)

select distinct on (f.campaign_id) f.campaign_id, f.cause, f.reason, f.waits_until
from found as f
order by f.campaign_id, f.place, f.cause = 'channel', f.cause <> 'turn', f.waits_until, f.reason;

comment on view retoma_internal.campaign_wait is
'What each campaign waits for, wholly or in part, although nothing interrupted it; see v_waiting_campaigns.';
