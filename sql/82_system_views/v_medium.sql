create or replace view retoma.v_medium as
select
  m.name as medium,
  d.mimetype,
  d.size as bytes,
  encode(d.sha256, 'hex') as sha256,
  m.added_at,
  (
    select count(distinct c.id)
    from retoma_internal.campaign_medium as u
    inner join retoma_internal.campaign as c on u.campaign_id = c.id
    where u.name = m.name and c.status not in ('completed', 'cancelled')
  ) as campaigns,
  h.name as channel,
  p.uploaded_at,
  p.expires_at,
  p.fault
from retoma_internal.medium as m
inner join retoma_internal.medium_data as d on m.sha256 = d.sha256
left join retoma_internal.medium_upload as p on m.sha256 = p.sha256
left join retoma_internal.channel as h on p.channel_id = h.id;

comment on view retoma.v_medium is
'For operators: the stored files, without their bytes. campaigns: how many that are not over say it. One row for each
channel to whose provider a file was or is to be uploaded; a file without any has one row without a channel. fault: why
the last upload failed, or null.';
