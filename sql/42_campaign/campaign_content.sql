create or replace function retoma.campaign_content(p_campaign text) returns jsonb
language plpgsql stable security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign_id int := (retoma_internal.find_campaign(p_campaign)).id;
begin
  return (
    select t.content from retoma_internal.campaign_content as t where t.campaign_id = v_campaign_id and t.variant = 1
  );
end;
$$;

comment on function retoma.campaign_content(text) is
'What a campaign says: a kind and its fields, each a Liquid text. Error RT001: unknown campaign.';
