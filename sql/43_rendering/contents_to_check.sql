-- Takes no lock: the result of a check depends only on the content, so two runners can check one content at the same
-- time.
create or replace function retoma.contents_to_check(
  p_limit int default 10,
  p_after_campaign int default 0,
  out campaign_id int,
  out variant int,
  out content jsonb,
  out texts jsonb
) returns setof record
language sql stable security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select t.campaign_id, t.variant, t.content, t.texts
  from retoma_internal.campaign_content as t
  where t.required_variables is null and t.fault is null and t.campaign_id > p_after_campaign
  order by t.campaign_id
  fetch first (retoma_internal.portion(p_limit)) rows with ties;
end;

comment on function retoma.contents_to_check(int, int) is
'For runners: about p_limit contents that no runner has checked yet, oldest campaign first, and a campaign
whole. Answer each with
record_content_check. p_after_campaign: only those of campaigns with a higher id; give the last one of the page before,
so that a content without an answer does not keep the others waiting.
texts: a JSON array with the Liquid texts of the content. path: names, and indexes from 0; place: the same in words.
After rendering, a text has at most maximum characters, and matches pattern, else words says what is wrong. It is not
blank; unless it is required, a blank one is left out with its name. free: it may be blank.
Error RT003: p_limit is not from 1 to 10000.';
