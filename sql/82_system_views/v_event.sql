create or replace view retoma.v_event as
select
  e.id,
  e.at,
  e.actor,
  e.subject,
  e.channel_id,
  h.name as channel,
  e.campaign_id,
  c.name as campaign,
  e.batch_id,
  e.runner_id,
  r.name as runner,
  e.from_state,
  e.to_state,
  retoma_internal.mask_text(e.code) as code,
  retoma_internal.mask_text(e.why) as why
from retoma_internal.event as e
left join retoma_internal.channel as h on e.channel_id = h.id
left join retoma_internal.campaign as c on e.campaign_id = c.id
left join retoma_internal.runner as r on e.runner_id = r.id;

comment on view retoma.v_event is
'The audit with names: what changed, when, by which database role, from which state to which, and why.';
