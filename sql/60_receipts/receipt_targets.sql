-- The delivery that each waiting receipt is about: the latest attempt of our message id, or the one with the provider's id.
create or replace function retoma.receipt_targets(
  out inbox_id bigint, out campaign_id int, out ordinal int, out attempt smallint, out batch_id bigint
) returns setof record
language sql stable
begin atomic
  select i.id, d.campaign_id, d.ordinal, d.attempt, d.batch_id
  from retoma.receipt_inbox as i
  inner join retoma.campaign as c on c.token = left(i.message_id, 24) and i.message_id ~ '^[0-9a-f]{32}$'
  cross join lateral (
    select dd.* from retoma.delivery as dd
    where dd.campaign_id = c.id and dd.ordinal = ('x' || right(i.message_id, 8))::bit(32)::int
      and dd.channel_id = i.channel_id and dd.outcome <> 'skipped'
    order by dd.attempt desc
    limit 1
  ) as d
  union all
  select i.id, d.campaign_id, d.ordinal, d.attempt, d.batch_id
  from retoma.receipt_inbox as i
  inner join retoma.delivery as d on d.provider_id = i.provider_id and d.channel_id = i.channel_id
  where i.message_id is null;
end;

comment on function retoma.receipt_targets() is 'Waiting receipts whose delivery is there.';
