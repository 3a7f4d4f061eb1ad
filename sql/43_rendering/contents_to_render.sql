-- Campaigns that have the rest of their audience to be rendered; nearly always none.
create or replace function retoma_internal.contents_to_render(
  p_after_campaign int, p_limit int, out campaign_id int, out variant int, out rendered int, out status text
) returns setof record
language sql stable
begin atomic
  select
    t.campaign_id,
    t.variant,
    t.rendered,
    c.status
  from retoma_internal.campaign_content as t
  inner join retoma_internal.campaign as c on t.campaign_id = c.id
  where t.rendering and t.required_variables is not null and t.fault is null and t.rendered < c.total
    and c.id > p_after_campaign and c.status not in ('completed', 'cancelled')
  order by t.campaign_id, t.rendered, t.variant
  limit p_limit;
end;

comment on function retoma_internal.contents_to_render(int, int) is
'Up to p_limit checked contents of campaigns with a higher id, of which runners have not rendered all recipients; of a
campaign, the content that is furthest behind first.';
