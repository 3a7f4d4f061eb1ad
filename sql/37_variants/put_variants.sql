-- Liquid begins with a brace. So a content without a text that has one requires no variable and no check. Where one
-- variant has to be rendered for its recipients, all are: so the recipients can be counted.
create or replace function retoma_internal.put_variants(p_campaign_id int, p_content jsonb, p_channel_ids int[])
returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  insert into retoma_internal.campaign_content (campaign_id, variant, content, texts, required_variables, rendering)
  select
    p_campaign_id, v.variant, v.content, retoma_internal.content_texts(v.content, p_channel_ids),
    case when not v.has_liquid then '{}'::text[] end, bool_or(v.has_liquid) over ()
  from (
    select w.variant, w.content, retoma_internal.has_liquid(w.content) as has_liquid
    from retoma_internal.content_variants(p_content) as w
  ) as v;
end;
$$;

comment on function retoma_internal.put_variants(int, jsonb, int[]) is
'Stores what create_campaign was given, after check_variants: one content, or several.';
