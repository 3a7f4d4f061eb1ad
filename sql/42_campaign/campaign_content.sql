create or replace function retoma.campaign_content(
  p_campaign text, out variant int, out weight int, out content jsonb, out texts jsonb
) returns setof record
language plpgsql stable security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.find_campaign(p_campaign);
begin
  return query
  select
    t.variant::int,
    coalesce(
      v_campaign.variant_bounds[t.variant] - coalesce(v_campaign.variant_bounds[t.variant - 1], 0), 1
    ),
    t.content,
    t.texts
  from retoma_internal.campaign_content as t
  where t.campaign_id = v_campaign.id
  order by t.variant;
end;
$$;

comment on function retoma.campaign_content(text) is
'What a campaign says, one row per variant with its weight: a kind and its fields, and its Liquid texts as in
contents_to_check. Error RT001: unknown campaign.';
