-- Called only for campaigns whose addresses are asked for. So the others pay nothing.
create or replace function retoma_internal.skip_unreachable(
  p_batch retoma_internal.batch,
  p_ordinals int[],
  p_now timestamptz,
  out batch retoma_internal.batch,
  out ordinals int[]
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_unreachable int[] := array(
    select a.ordinal from retoma_internal.message_address as a
    where a.campaign_id = p_batch.campaign_id and a.ordinal = any(p_ordinals) and a.address is null
  );
begin
  batch := p_batch;
  ordinals := p_ordinals;
  if v_unreachable <> '{}' then
    batch.reserved := batch.reserved + cardinality(v_unreachable);
    batch := retoma_internal.settle_without_sending(batch, v_unreachable, 'skipped', 'not_on_whatsapp', p_now);
    ordinals := array(select u.o from unnest(p_ordinals) as u (o) where u.o <> all(v_unreachable));
  end if;
end;
$$;

comment on function retoma_internal.skip_unreachable(retoma_internal.batch, int[], timestamptz) is
'Settles those of the next messages of a batch whose numbers are not on WhatsApp, as skipped. ordinals: the others.';
