-- With our message id: the attempt that already has a good receipt (so that a message is delivered only once), or this
-- very failure, which is repeated; else the latest attempt. With the id of the provider: the latest delivery that has
-- it. Subqueries with a limit cannot become joins. So the planner, whatever it assumes about the tables, cannot read
-- one of them from end to end.
create or replace function retoma_internal.receipt_targets(
  p_receipts retoma_internal.receipt_inbox[],
  out place bigint,
  out campaign_id int,
  out ordinal int,
  out attempt smallint,
  out batch_id bigint,
  out last_attempt smallint,
  out last_batch_id bigint,
  out is_early boolean,
  out status text,
  out code text,
  out at timestamptz
) returns setof record
language sql stable
begin atomic
  select
    r.place, d.campaign_id, d.ordinal, d.attempt, d.batch_id, l.attempt as last_attempt, l.batch_id as last_batch_id,
    l.outcome = 'requeued' and (d.attempt = l.attempt or r.status <> 'failed')
    and not (r.status = 'failed' and r.at <= coalesce(case d.receipt when 'failed' then d.receipt_at end, d.at))
    and retoma_internal.is_under_way(l, r.channel_id),
    r.status, r.code, r.at
  from unnest(p_receipts) with ordinality
    as r (id, channel_id, message_id, provider_id, status, code, at, received_at, try_after, place)
  cross join lateral (
    select c.id from retoma_internal.campaign as c where c.token = left(r.message_id, 24) limit 1
  ) as c
  cross join lateral (
    select dd.* from retoma_internal.delivery as dd
    where dd.campaign_id = c.id and dd.ordinal = ('x' || right(r.message_id, 8))::bit(32)::int
      and dd.channel_id = r.channel_id and dd.outcome <> 'skipped'
      -- A failure from before the end of an earlier attempt is that of an earlier attempt.
      and (r.status <> 'failed' or dd.attempt = 1 or not exists (
        select from retoma_internal.delivery as e
        where e.campaign_id = dd.campaign_id and e.ordinal = dd.ordinal and e.attempt < dd.attempt and e.at >= r.at
      ))
    order by
      coalesce(
        dd.receipt in ('delivered', 'read') or dd.receipt = 'server' and r.status <> 'failed'
        or dd.receipt = 'failed' and r.status = 'failed' and r.at <= dd.receipt_at,
        false
      ) desc,
      dd.attempt desc
    limit 1
  ) as d
  cross join lateral (
    select dd.* from retoma_internal.delivery as dd
    where dd.campaign_id = c.id and dd.ordinal = d.ordinal and dd.channel_id = r.channel_id and dd.outcome <> 'skipped'
    order by dd.attempt desc
    limit 1
  ) as l
  union all
  select
    r.place, d.campaign_id, d.ordinal, d.attempt, d.batch_id, d.attempt as last_attempt, d.batch_id as last_batch_id,
    false, r.status, r.code, r.at
  from unnest(p_receipts) with ordinality
    as r (id, channel_id, message_id, provider_id, status, code, at, received_at, try_after, place)
  cross join lateral (
    select dd.* from retoma_internal.delivery as dd
    where dd.provider_id = r.provider_id and dd.channel_id = r.channel_id
    order by dd.at desc
    limit 1
  ) as d
  where r.message_id is null;
end;

comment on function retoma_internal.receipt_targets(retoma_internal.receipt_inbox[]) is
'The deliveries of these receipts, as far as they are recorded. place: of the receipt in p_receipts, from 1; last_: the
latest attempt of the message on the channel; is_early: a later attempt is under way, and its outcome is not recorded.';
