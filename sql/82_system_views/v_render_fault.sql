create or replace view retoma.v_render_fault as
select
  c.id as campaign_id,
  c.name as campaign,
  f.variant,
  f.code,
  f.reason,
  f.messages,
  f.first_ordinal
from retoma_internal.render_fault as f
inner join retoma_internal.campaign as c on f.campaign_id = c.id;

comment on view retoma.v_render_fault is
'Messages that cannot be made, counted per reason by runners that rendered the content for all recipients beforehand.
They fail with this code when it is their turn. first_ordinal: the first of them. v_campaign_summary.to_check says how
many recipients were not rendered yet.';
