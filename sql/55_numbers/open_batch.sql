-- Locks the batch. When another transaction has locked it, this is done later. A number without an answer that counts
-- has the last one, or goes as it is. The next batch asks about it anew.
create or replace function retoma_internal.open_batch(p_batch_id bigint) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set enable_hashjoin to off
set enable_mergejoin to off
as $$
declare
  v_batch retoma_internal.batch;
begin
  select b.* into v_batch
  from retoma_internal.batch as b
  where b.id = p_batch_id and b.status = 'ready' and b.not_before = 'infinity'
  for update skip locked;
  if not found then
    return;
  end if;
  insert into retoma_internal.message_address (campaign_id, ordinal, address)
  select m.campaign_id, m.ordinal, n.address
  from unnest(retoma_internal.batch_ordinals(v_batch, 1, v_batch.size)) as u (ordinal)
  inner join retoma_internal.message as m on m.campaign_id = v_batch.campaign_id and u.ordinal = m.ordinal
  inner join retoma_internal.number_check as n on m.phone = n.phone
  where not n.found or n.address is not null
  on conflict do nothing;
  update retoma_internal.number_check as n
  set tries = 0
  where n.phone in (
    select k.phone
    from unnest(retoma_internal.batch_ordinals(v_batch, 1, v_batch.size)) as u (ordinal)
    inner join retoma_internal.message as m on m.campaign_id = v_batch.campaign_id and u.ordinal = m.ordinal
    inner join retoma_internal.number_check as k on m.phone = k.phone and k.tries > 0
    for no key update of k skip locked
  );
  update retoma_internal.batch as b set not_before = '-infinity' where b.id = p_batch_id;
  perform retoma_internal.ring_campaign(v_batch.campaign_id);
end;
$$;

comment on function retoma_internal.open_batch(bigint) is
'Fixes the addresses of the messages of a closed batch by what is known of their numbers, and lets it be leased.';
