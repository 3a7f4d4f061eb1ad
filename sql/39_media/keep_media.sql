-- Locks the files, so that none is removed before the campaign can be seen.
create or replace function retoma_internal.keep_media(p_campaign_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_missing text;
begin
  perform from retoma_internal.campaign_content as t
  cross join lateral retoma_internal.content_media(t.content) as c
  inner join retoma_internal.medium as m on c.name = m.name
  where t.campaign_id = p_campaign_id
  order by m.name
  for key share of m;
  insert into retoma_internal.campaign_medium (campaign_id, variant, path, medium, name, sha256)
  select t.campaign_id, t.variant, c.path, c.medium, c.name, m.sha256
  from retoma_internal.campaign_content as t
  cross join lateral retoma_internal.content_media(t.content) as c
  inner join retoma_internal.medium as m on c.name = m.name
  where t.campaign_id = p_campaign_id;
  select c.name into v_missing
  from retoma_internal.campaign_content as t
  cross join lateral retoma_internal.content_media(t.content) as c
  where t.campaign_id = p_campaign_id
    and not exists (select from retoma_internal.medium as m where m.name = c.name)
  order by c.name
  limit 1;
  if found then
    raise exception using errcode = 'RT001', constraint = 'unknown_medium',
      message = format('there is no file %L any more', v_missing),
      hint = 'Store it first: retoma media add FILE. retoma.v_medium lists the files';
  end if;
end;
$$;

comment on function retoma_internal.keep_media(int) is
'Notes which stored files the contents of a new campaign say. From then on they cannot be removed before it is over.
Error RT001: one was removed a moment ago.';
