create or replace function retoma_internal.lease_media(p_campaign_id int, p_channel_id int) returns jsonb
language sql stable
begin atomic
  select jsonb_agg(
    distinct jsonb_build_object(
      'path', m.path,
      'file', m.name,
      'value', case
        when t.keeps_media_for is null
          then jsonb_build_object('mimetype', d.mimetype, 'sha256', encode(m.sha256, 'hex'))
        else jsonb_build_object('id', u.provider_id)
      end
    )
  )
  from retoma_internal.campaign_medium as m
  inner join retoma_internal.channel as h on h.id = p_channel_id
  inner join retoma.transport as t on h.transport = t.name
  left join retoma_internal.medium_data as d on m.sha256 = d.sha256
  left join retoma_internal.medium_upload as u on h.id = u.channel_id and m.sha256 = u.sha256
  where m.campaign_id = p_campaign_id;
end;

comment on function retoma_internal.lease_media(int, int) is
'What a channel sends in place of the stored files of a campaign: [{"path": ["media"], "file": "offer.png", "value":
{"id": "1234"}}], or {"mimetype": "image/png", "sha256": "…"} where the bytes go along; null when the campaign says
none.';
