-- A lease can last for hours, and goes on with the ids that it began with: so each has to be good for a day more.
create or replace view retoma_internal.medium_wait as
select
  c.id as campaign_id,
  h.id as channel_id,
  m.name,
  case
    when t.keeps_media_for is null and not retoma_internal.matches_any(h.settings, t.inlines_media_when)
      then format('file %s: this channel takes media by link only', m.name)
    when d.sha256 is null then format('file %s was removed', m.name)
    else format('file %s cannot be uploaded: ', m.name) || u.fault
  end as fault
from retoma_internal.campaign as c
inner join retoma_internal.campaign_medium as m on c.id = m.campaign_id
inner join retoma_internal.campaign_channel as cc on c.id = cc.campaign_id
inner join retoma_internal.channel as h on cc.channel_id = h.id
inner join retoma.transport as t on h.transport = t.name
left join retoma_internal.medium_data as d on m.sha256 = d.sha256
left join retoma_internal.medium_upload as u
  on h.id = u.channel_id and m.sha256 = u.sha256 and u.settings_hash = hashtextextended(h.settings::text, 0)
where c.status not in ('completed', 'cancelled')
  and case
    when t.keeps_media_for is null
      then d.sha256 is null or not retoma_internal.matches_any(h.settings, t.inlines_media_when)
    else u.provider_id is null or u.expires_at <= retoma.clock() + interval '1 day'
  end;

comment on view retoma_internal.medium_wait is
'The stored files that campaigns say, and that a channel of theirs cannot send now. fault: why, in words; null: it is
being uploaded.';
