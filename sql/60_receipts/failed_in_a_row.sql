-- Judged by the order of sending, because receipts come in any order, and some providers report nothing but failures.
-- The messages before and after it are its neighbours by ordinal, in one range of the primary key.
create or replace function retoma_internal.failed_in_a_row(
  p_delivery retoma_internal.delivery, p_from timestamptz, p_longest int, p_transport text, p_class text
) returns int
language sql stable
begin atomic
  with near as materialized (
    select
      d.ordinal,
      d.outcome = 'failed' and coalesce(d.receipt, '') = 'failed' and d.at > p_from and (
        p_class is null
        or (retoma_internal.classify(p_transport, d.code, p_written => true)).class = p_class
      ) as failed
    from retoma_internal.delivery as d
    where d.campaign_id = (p_delivery).campaign_id
      and d.ordinal between (p_delivery).ordinal - 2 * p_longest and (p_delivery).ordinal + 2 * p_longest
      and d.channel_id = (p_delivery).channel_id and d.outcome not in ('skipped', 'requeued')
  )

  select count(*)::int
  from near as n
  where n.failed
    and n.ordinal > coalesce(
      (select max(b.ordinal) from near as b where not b.failed and b.ordinal < (p_delivery).ordinal), 0
    )
    and n.ordinal < coalesce(
      (select min(a.ordinal) from near as a where not a.failed and a.ordinal > (p_delivery).ordinal), 2147483647
    );
end;

comment on function retoma_internal.failed_in_a_row(retoma_internal.delivery, timestamptz, int, text, text) is
'How many messages around this one, sent one after the other on its channel after p_from, have failed by receipt. It
counts up to about p_longest. p_class: only failures of this class on p_transport count; null: all.';
