-- Called for campaigns with several contents only. So a campaign with one pays nothing for variants.
create or replace function retoma_internal.with_variants(p_messages json, p_bounds int[]) returns json
language sql immutable
begin atomic
  select json_agg(
    json_build_array(
      m.item -> 0, m.item -> 1, m.item -> 2, m.item -> 3, coalesce(m.item -> 4, 'false'),
      retoma_internal.variant_of(m.item ->> 1, p_bounds)
    )
    order by m.n
  )
  from json_array_elements(p_messages) with ordinality as m (item, n);
end;

comment on function retoma_internal.with_variants(json, int[]) is
'Messages as in advance_batch, each with the number of its variant as a sixth element. p_bounds:
campaign.variant_bounds.';
