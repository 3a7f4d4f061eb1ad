-- Locks the reading of the channel, its templates in the order of their keys, then those of its campaigns that are
-- free. A report can be late or come again, so a new list is asked for at once, which corrects it.
create or replace function retoma.record_template_reports(p_channel text, p_reports jsonb) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_channel_id int := (retoma_internal.find_channel(p_channel)).id;
begin
  perform retoma_internal.insist_on_read_committed();
  if jsonb_typeof(p_reports) is distinct from 'array' or exists (
    select from retoma_internal.json_list(p_reports) as l
    where coalesce(l.item ->> 'name', '') = '' or coalesce(l.item ->> 'language', '') = ''
  ) then
    raise exception using errcode = 'RT003', constraint = 'bad_templates',
      message = 'reports are a JSON array of objects with name and language, and what has changed',
      hint = '[{"name": "aviso", "language": "pt_BR", "status": "PAUSED", "category": null, "quality": null}]';
  end if;
  update retoma_internal.reading as r set next_at = least(r.next_at, retoma.clock()), changes = r.changes + 1
  where r.channel_id = v_channel_id and r.about = 'templates';
  perform from retoma_internal.template as t
  where t.channel_id = v_channel_id
  order by t.name, t.language
  for no key update;
  update retoma_internal.template as t
  set
    status = coalesce(l.item ->> 'status', t.status), category = coalesce(l.item ->> 'category', t.category),
    quality = coalesce(l.item ->> 'quality', t.quality), reported_at = retoma.clock()
  from retoma_internal.json_list(p_reports) as l
  where t.channel_id = v_channel_id and t.name = l.item ->> 'name' and t.language = l.item ->> 'language';
  perform retoma_internal.reconcile_channel(v_channel_id);
end;
$$;

comment on function retoma.record_template_reports(text, jsonb) is
'For receivers: what a provider reports about templates of the account of a channel: [{"name": "aviso", "language":
"pt_BR", "status": "PAUSED"}]. status, category, quality: in the words of the provider; left out or null when it has not
changed. Campaigns that say a template which cannot be sent any more are interrupted, and continue when it can.
Errors: RT001 unknown channel, RT003 not such an array.';
