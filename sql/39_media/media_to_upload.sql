-- Two runners never upload the same file at the same time: whoever writes the row first has the turn. When that runner
-- dies, another one has a turn 10 minutes later. An upload that is done twice does no harm: the last id stays.
create or replace function retoma.media_to_upload(
  out channel_id int,
  out channel text,
  out transport text,
  out settings jsonb,
  out asked_at timestamptz,
  out sha256 bytea,
  out name text,
  out mimetype text
) returns setof record
language sql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
begin atomic
  with due as (
    select
      h.id, h.name, h.transport, h.settings, m.sha256, d.mimetype, min(m.name) as medium,
      hashtextextended(h.settings::text, 0) as settings_hash
    from retoma_internal.campaign as c
    inner join retoma_internal.campaign_medium as m on c.id = m.campaign_id
    inner join retoma_internal.medium_data as d on m.sha256 = d.sha256
    inner join retoma_internal.campaign_channel as cc on c.id = cc.campaign_id
    inner join retoma_internal.channel as h on cc.channel_id = h.id
    inner join retoma.transport as t on h.transport = t.name and t.keeps_media_for is not null
    left join retoma_internal.medium_upload as u on h.id = u.channel_id and m.sha256 = u.sha256
    where c.status not in ('completed', 'cancelled')
      and (
        u.channel_id is null or u.settings_hash <> hashtextextended(h.settings::text, 0)
        or u.next_at <= retoma.clock()
        and (u.provider_id is null or u.expires_at <= retoma.clock() + t.keeps_media_for / 10 + interval '1 day')
      )
    group by h.id, h.name, h.transport, h.settings, m.sha256, d.mimetype
    order by min(u.next_at) nulls first, h.id, m.sha256
    limit 1
  ),

  taken as (
    insert into retoma_internal.medium_upload as u (channel_id, sha256, settings_hash, asked_at, next_at)
    select d.id, d.sha256, d.settings_hash, retoma.clock(), retoma.clock() + interval '10 minutes' from due as d
    on conflict (channel_id, sha256) do update
    set
      provider_id = case when u.settings_hash = excluded.settings_hash then u.provider_id end,
      expires_at = case when u.settings_hash = excluded.settings_hash then u.expires_at end,
      fault = case when u.settings_hash = excluded.settings_hash then u.fault end,
      settings_hash = excluded.settings_hash, asked_at = excluded.asked_at, next_at = excluded.next_at
    where u.next_at <= retoma.clock() or u.settings_hash <> excluded.settings_hash
    returning u.channel_id, u.asked_at
  )

  select d.id, d.name, d.transport, d.settings, t.asked_at, d.sha256, d.medium, d.mimetype
  from taken as t
  inner join due as d on t.channel_id = d.id;
end;

comment on function retoma.media_to_upload() is
'For runners: a stored file that has to be uploaded to the provider of a channel now, with what a transport needs for
it; no row when there is none. medium_bytes gives its bytes. Answer with record_upload, with the same asked_at.';
