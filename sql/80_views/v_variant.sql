-- Reads every message of a campaign with several contents, once: books are kept per batch, not per variant.
create or replace view retoma.v_variant as
select
  c.id as campaign_id,
  c.name as campaign,
  n.variant,
  c.variant_bounds[n.variant] - coalesce(c.variant_bounds[n.variant - 1], 0) as weight,
  n.messages,
  n.pending,
  n.sending,
  n.sent,
  n.failed,
  n.skipped,
  n.in_doubt,
  n.cancelled,
  n.delivered,
  n.read,
  coalesce(r.replies, 0) as replies,
  coalesce(r.people, 0) as people,
  coalesce(r.opted_out, 0) as opted_out
from retoma_internal.campaign as c
cross join lateral (
  select
    t.variant::int as variant,
    count(s.ordinal) as messages,
    count(*) filter (where s.state = 'pending') as pending,
    count(*) filter (where s.state = 'sending') as sending,
    count(*) filter (where s.state = 'sent') as sent,
    count(*) filter (where s.state = 'failed') as failed,
    count(*) filter (where s.state = 'skipped') as skipped,
    count(*) filter (where s.state = 'in_doubt') as in_doubt,
    count(*) filter (where s.state = 'cancelled') as cancelled,
    count(*) filter (where s.receipt in ('delivered', 'read')) as delivered,
    count(*) filter (where s.receipt = 'read') as read
  from retoma_internal.campaign_content as t
  left join (
    select m.variant, m.ordinal, m.state, m.receipt from retoma.message_state as m where m.campaign_id = c.id
  ) as s on t.variant = s.variant
  where t.campaign_id = c.id
  group by t.variant
) as n
left join lateral (
  select
    p.variant,
    count(*) as replies,
    count(distinct p.ordinal) as people,
    count(distinct p.ordinal) filter (where p.state = 'opted_out') as opted_out
  from (
    select
      m.ordinal,
      y.state,
      retoma_internal.variant_of(retoma_internal.message_id(c.token, m.ordinal), c.variant_bounds) as variant
    from retoma_internal.reply as y
    cross join lateral (
      select mm.ordinal
      from unnest(retoma_internal.phone_forms(y.phone)) as f (phone)
      inner join retoma_internal.message as mm on mm.campaign_id = c.id and f.phone = mm.phone
      limit 1
    ) as m
    where y.campaign_id = c.id
  ) as p
  group by p.variant
) as r on n.variant = r.variant
where c.variant_bounds is not null;

comment on view retoma.v_variant is
'One row per campaign and variant, of campaigns with several contents: its weight, its messages in each state, how many
were delivered and read, and what people answered. replies: messages from people who got this variant, attributed as in
v_reply; people: how many people wrote them; opted_out: how many of these people opted out. Reads every message: filter
by campaign. cleanup() erases it with the recipients.';
