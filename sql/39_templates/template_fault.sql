-- Nothing is known before the first list of the provider has come: then the provider judges the messages one by one.
-- Volatile, so that it sees what was committed while the caller waited for a lock.
create or replace function retoma_internal.template_fault(p_channel_id int, p_content jsonb) returns text
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_name text := format('template %s (%s)', p_content ->> 'name', p_content ->> 'language');
  v_template retoma_internal.template;
  v_reason text;
begin
  if p_content ->> 'kind' <> 'template' or not exists (
    select from retoma_internal.reading as r
    inner join retoma_internal.channel as c on r.channel_id = c.id
    where r.channel_id = p_channel_id and r.about = 'templates' and r.known
      and r.settings_hash = hashtextextended(c.settings::text, 0)
  ) then
    return null;
  end if;
  select t.* into v_template
  from retoma_internal.template as t
  where t.channel_id = p_channel_id and t.name = p_content ->> 'name' and t.language = p_content ->> 'language';
  if not found then
    return v_name || ' does not exist' || coalesce((
      select ', only in ' || string_agg(t.language, ', ' order by t.language)
      from retoma_internal.template as t
      where t.channel_id = p_channel_id and t.name = p_content ->> 'name'
    ), '');
  elsif v_template.status <> 'APPROVED' then
    return format('%s is %s', v_name, v_template.status);
  end if;
  v_reason := retoma_internal.template_mismatch(v_template, p_content);
  return v_name || ' does not fit: ' || v_reason;
end;
$$;

comment on function retoma_internal.template_fault(int, jsonb) is
'Why this channel cannot send a content that is a template, in words: it does not exist, is not approved, or has other
parts. Null when it can, when the content is no template, or when the list of templates is not known.';
