create or replace function retoma.campaign_content(p_campaign text, out content jsonb, out texts jsonb)
language plpgsql stable security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign_id int := (retoma_internal.find_campaign(p_campaign)).id;
begin
  select t.content, t.texts into content, texts
  from retoma_internal.campaign_content as t where t.campaign_id = v_campaign_id and t.variant = 1;
end;
$$;

comment on function retoma.campaign_content(text) is
'What a campaign says: a kind and its fields, and its Liquid texts as in contents_to_check. Error RT001: unknown
campaign.';
