create or replace function retoma_internal.with_variants_and_addresses(
  p_messages json, p_context retoma_internal.step_context, p_campaign_id int
) returns json
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_messages json := p_messages;
begin
  if p_context.variant_bounds is not null then
    v_messages := retoma_internal.with_variants(v_messages, p_context.variant_bounds);
  end if;
  if p_context.resolves_addresses then
    v_messages := retoma_internal.with_addresses(v_messages, p_campaign_id);
  end if;
  return v_messages;
end;
$$;

comment on function retoma_internal.with_variants_and_addresses(json, retoma_internal.step_context, int) is
'Messages as in advance_batch, with the elements that only some campaigns have.';
