create or replace view retoma_internal.messages_under_way as
select b.campaign_id, u.ordinal, b.attempt::int as attempt
from retoma_internal.batch as b
left join retoma_internal.batch_list as l on b.id = l.batch_id
cross join lateral unnest(
  case
    when b.first_ordinal is null then l.ordinals[:b.reserved]
    else array(select generate_series(b.first_ordinal, b.first_ordinal + b.reserved - 1))
  end
) as u (ordinal)
where b.status = 'leased' and b.reserved > b.sent + b.failed + b.skipped + b.in_doubt + b.requeued;

comment on view retoma_internal.messages_under_way is
'The reserved messages of leased batches that wait for an outcome. Those of them that have an outcome are in it too.';
