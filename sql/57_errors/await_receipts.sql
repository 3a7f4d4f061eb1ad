-- Waits for transactions that are applying receipts to earlier attempts. Locks the deliveries in the order of their
-- ordinals.
create or replace function retoma_internal.await_receipts(p_batch retoma_internal.batch, p_ordinals int[]) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_batch.attempt > 1 then
    perform from unnest(p_ordinals) as u (ordinal)
    inner join retoma_internal.delivery as d on d.campaign_id = p_batch.campaign_id and u.ordinal = d.ordinal
    order by d.ordinal, d.attempt
    for share of d;
  end if;
end;
$$;

comment on function retoma_internal.await_receipts(retoma_internal.batch, int[]) is
'Before a decision about a further attempt: afterwards, has_arrived sees each receipt about an earlier one that is being
recorded now.';
