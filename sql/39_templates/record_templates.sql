-- Locks the reading of the channel, its templates, then those of its campaigns that are free. The list is the whole
-- truth, except about templates that were reported since it was asked for. An answer that comes after another runner
-- has had its turn is ignored.
create or replace function retoma.record_templates(
  p_channel_id int, p_asked_at timestamptz, p_templates jsonb, p_fault text default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
begin
  perform retoma_internal.insist_on_read_committed();
  if (p_templates is null) = (coalesce(p_fault, '') = '') or jsonb_typeof(p_templates) <> 'array' or exists (
    select from retoma_internal.json_list(p_templates) as l
    where coalesce(l.item ->> 'name', '') = '' or coalesce(l.item ->> 'language', '') = ''
      or coalesce(l.item ->> 'status', '') = '' or jsonb_typeof(l.item -> 'components') not in ('array', 'null')
  ) then
    raise exception using errcode = 'RT003', constraint = 'bad_templates',
      message = 'templates are a JSON array of objects with name, language, status and components',
      hint = '[{"name": "aviso", "language": "pt_BR", "status": "APPROVED", "components": []}]; '
        || 'or give null and a fault';
  end if;
  if not retoma_internal.lock_reading(p_channel_id, 'templates', p_asked_at) then
    return;
  end if;
  perform retoma_internal.end_reading(p_channel_id, 'templates', nullif(p_fault, ''));
  if p_templates is null then
    return;
  end if;
  delete from retoma_internal.template as t
  where t.channel_id = p_channel_id and not exists (
    select from retoma_internal.json_list(p_templates) as l
    where l.item ->> 'name' = t.name and l.item ->> 'language' = t.language
  );
  insert into retoma_internal.template as t (
    channel_id, name, language, status, category, quality, named, components, read_at
  )
  select distinct on (l.item ->> 'name', l.item ->> 'language')
    p_channel_id, l.item ->> 'name', l.item ->> 'language', l.item ->> 'status', l.item ->> 'category',
    l.item ->> 'quality', coalesce(l.item -> 'named' = 'true', false),
    coalesce(nullif(l.item -> 'components', 'null'), '[]'), retoma.clock()
  from retoma_internal.json_list(p_templates) as l
  order by l.item ->> 'name', l.item ->> 'language', l.place
  on conflict (channel_id, name, language) do update
  set
    status = case when t.reported_at >= p_asked_at then t.status else excluded.status end,
    category = excluded.category, quality = excluded.quality, named = excluded.named,
    components = excluded.components, read_at = excluded.read_at;
  perform retoma_internal.reconcile_channel(p_channel_id);
end;
$$;

comment on function retoma.record_templates(int, timestamptz, jsonb, text) is
'For runners: the answer to readings_due(''templates''). Give one of the two: p_templates, all templates of the account:
[{"name": "aviso", "language": "pt_BR", "status": "APPROVED", "category": "UTILITY", "quality": "GREEN", "named": false,
"components": […]}]; or null and p_fault, why there is no list, in words. A template that is not in the list does not
exist any more. Campaigns that say a template which cannot be sent are interrupted, and continue when it can.
Error RT003: not such a list, both or neither given.';
