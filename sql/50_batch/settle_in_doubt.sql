-- Locks the batches of the messages in the order of their ids, then their deliveries. Messages of other batches that
-- become in doubt in the meantime are left alone.
create or replace function retoma_internal.settle_in_doubt(
  p_campaign_id int, p_ordinals int[], p_outcome text, p_code text
) returns bigint
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  -- Only the batches of these messages: record_lookups has locked them, and must not wait for others out of order.
  v_held bigint[] := array(
    select b.id from retoma_internal.batch as b
    where b.campaign_id = p_campaign_id and b.in_doubt > 0
      and (p_ordinals is null or b.id in (
        select d.batch_id from retoma_internal.delivery as d
        where d.campaign_id = p_campaign_id and d.outcome = 'in_doubt' and d.ordinal = any(p_ordinals)
      ))
    order by b.id
    for update
  );
  v_count bigint;
begin
  with settled as (
    update retoma_internal.delivery as d
    set outcome = p_outcome, code = p_code
    where d.campaign_id = p_campaign_id and d.outcome = 'in_doubt' and d.batch_id = any(v_held)
      and (p_ordinals is null or d.ordinal = any(p_ordinals))
    returning d.batch_id
  ),
  counted as (
    update retoma_internal.batch as b
    set
      in_doubt = b.in_doubt - s.n,
      sent = b.sent + case p_outcome when 'sent' then s.n else 0 end,
      failed = b.failed + case p_outcome when 'failed' then s.n else 0 end
    from (select ss.batch_id, count(*)::int as n from settled as ss group by ss.batch_id) as s
    where b.id = s.batch_id
    returning s.n
  )
  select coalesce(sum(c.n), 0) into v_count from counted as c;
  return v_count;
end;
$$;

comment on function retoma_internal.settle_in_doubt(int, int[], text, text) is
'Makes messages in doubt sent or failed (p_outcome), with the code p_code. p_ordinals: only these messages; null: all of
the campaign. Returns how many.';
