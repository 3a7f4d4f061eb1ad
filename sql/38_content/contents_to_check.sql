-- Takes no lock: the answer of a check depends on the content alone, so two runners that check one content at the same
-- time do no harm.
create or replace function retoma.contents_to_check(
  p_limit int default 10, out campaign_id int, out variant int, out content jsonb
) returns setof record
language sql stable security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select t.campaign_id, t.variant, t.content
  from retoma_internal.campaign_content as t
  where t.required_variables is null and t.fault is null
  order by t.campaign_id, t.variant
  limit p_limit;
end;

comment on function retoma.contents_to_check(int) is
'For runners: contents that no parser has read yet, the oldest first. Answer each with record_content_check.';
