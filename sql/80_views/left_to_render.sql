create or replace view retoma_internal.left_to_render as
select t.campaign_id, c.total - sum(t.tried)::int as messages
from retoma_internal.campaign_content as t
inner join retoma_internal.campaign as c on t.campaign_id = c.id
group by t.campaign_id, c.total
having bool_or(t.rendering);

comment on view retoma_internal.left_to_render is
'Campaigns for which runners render contents, and for how many recipients they still have to.';
