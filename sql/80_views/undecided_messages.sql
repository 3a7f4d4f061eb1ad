create or replace view retoma_internal.undecided_messages as
select b.campaign_id, u.ordinal, b.attempt::int as attempt
from retoma_internal.batch as b
inner join retoma_internal.campaign as c on b.campaign_id = c.id
inner join retoma_internal.batch_list as l on b.id = l.batch_id
cross join lateral unnest(l.ordinals[b.reserved + 1:]) as u (ordinal)
where c.status = 'cancelled' and b.maybe_sent and b.reserved < b.size;

comment on view retoma_internal.undecided_messages is
'Messages of cancelled campaigns that an earlier attempt may have sent, and that wait for cancel_batches to record that
they are in doubt.';
