-- Leases with no message under way end in one statement; where channels have gaps, these are nearly all. The others end
-- one by one, see end_lease. Locks the batches in the order of their ids, and skips those that another transaction
-- is changing. Then locks the pacing of their channels and their campaigns, which complete_batches may change. A lease
-- whose channel or campaign another transaction is changing is left to the next tick: that transaction may be left
-- open, and the others must not wait for it. The tick comes here with deliveries locked, so it may not wait either.
create or replace function retoma_internal.end_leases(p_ids bigint[], p_codes text[]) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
as $$
declare
  v_ids bigint[] := array(
    select b.id from retoma_internal.batch as b
    where b.id = any(p_ids) and b.status = 'leased'
    order by b.id
    for update skip locked
  );
  v_channel_ids int[];
  v_campaign_ids int[];
begin
  perform retoma_internal.end_quiet_leases(v_ids, p_ids, p_codes);
  v_channel_ids := array(
    select p.channel_id from retoma_internal.channel_pacing as p
    where p.channel_id in (
      select b.lease_channel_id from retoma_internal.batch as b where b.id = any(v_ids) and b.status = 'leased'
    )
    order by p.channel_id
    for update skip locked
  );
  v_campaign_ids := array(
    select c.id from retoma_internal.campaign as c
    where c.id in (
      select b.campaign_id from retoma_internal.batch as b
      where b.id = any(v_ids) and b.status = 'leased' and b.reserved = b.size
    )
    order by c.id
    for no key update skip locked
  );
  perform retoma_internal.end_lease(b.id, u.code)
  from unnest(p_ids, p_codes) as u (id, code)
  inner join retoma_internal.batch as b on u.id = b.id
  where b.id = any(v_ids) and b.status = 'leased'
    and (b.lease_channel_id = any(v_channel_ids) or not exists (
      select from retoma_internal.channel_pacing as p where p.channel_id = b.lease_channel_id
    ))
    and (b.reserved < b.size or b.campaign_id = any(v_campaign_ids));
end;
$$;

comment on function retoma_internal.end_leases(bigint[], text[]) is
'Ends the leases of these batches outside of a step. p_codes: for each batch its code, as for end_lease.';
