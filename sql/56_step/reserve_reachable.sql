-- Called only for campaigns whose addresses are asked for. So the others pay nothing.
create or replace function retoma_internal.reserve_reachable(
  p_batch retoma_internal.batch,
  p_ordinals int[],
  p_context retoma_internal.step_context,
  out batch retoma_internal.batch,
  out got int,
  out messages json
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_unreachable int[] := array(
    select a.ordinal from retoma_internal.message_address as a
    where a.campaign_id = p_batch.campaign_id and a.ordinal = any(p_ordinals) and a.address is null
  );
  v_reachable int[] := array(select u.o from unnest(p_ordinals) as u (o) where u.o <> all(v_unreachable));
  v_slice record;
begin
  batch := p_batch;
  got := 0;
  if v_unreachable <> '{}' then
    batch.reserved := batch.reserved + cardinality(v_unreachable);
    batch := retoma_internal.settle_without_sending(
      batch, v_unreachable, 'skipped', 'not_on_whatsapp', p_context.at
    );
  end if;
  if v_reachable <> '{}' then
    v_slice := retoma_internal.reserve_unsuppressed(batch, v_reachable, p_context);
    batch := v_slice.batch;
    got := v_slice.got;
    messages := v_slice.messages;
  end if;
end;
$$;

comment on function retoma_internal.reserve_reachable(retoma_internal.batch, int[], retoma_internal.step_context) is
'As reserve_unsuppressed, where numbers were checked: those that are not on WhatsApp are skipped.';
