-- Reads one row per batch, and from an index one entry per delivery with a code: what failed, was skipped or is in
-- doubt. Most accepted messages have no code, so they are counted by their batches and not read: what the batches have
-- counted in a state, less the messages with a code, has none.
create or replace view retoma.v_message_count as
select c.id as campaign_id, c.name as campaign, n.state, retoma_internal.mask_text(n.code) as code, n.channel_id,
  h.name as channel, n.messages
from retoma_internal.campaign as c
cross join lateral (
  select r.state, r.code, r.channel_id, sum(r.messages)::bigint as messages
  from (
    select b.state, null::text as code, b.channel_id, b.messages
    from retoma_internal.messages_by_channel as b
    where b.campaign_id = c.id
    union all
    select d.state, k.code, d.channel_id, d.messages * k.sign
    from (
      select dd.outcome as state, dd.code, dd.channel_id, count(*) as messages
      from retoma_internal.delivery as dd
      where dd.campaign_id = c.id and dd.code is not null and dd.outcome <> 'requeued'
      group by dd.outcome, dd.code, dd.channel_id
    ) as d
    cross join lateral (values (d.code, 1), (null, -1)) as k (code, sign)
    union all
    select case when c.status = 'cancelled' then 'cancelled' else 'pending' end, null, null, c.total
    where not exists (select from retoma_internal.batch as b where b.campaign_id = c.id)
  ) as r
  group by r.state, r.code, r.channel_id
  having sum(r.messages) <> 0
) as n
left join retoma_internal.channel as h on n.channel_id = h.id;

comment on view retoma.v_message_count is
'How many messages of each campaign are in each state, with which code, by which channel: what a count over v_message
gives, without reading the messages. Messages that no channel has reserved have no channel.';
