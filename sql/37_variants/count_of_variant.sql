create or replace function retoma_internal.count_of_variant(
  p_campaign retoma_internal.campaign, p_variant int, p_after int, p_through int
) returns int
language sql stable
begin atomic
  select case
    when (p_campaign).variant_bounds is null then p_through - p_after
    else (
      select count(*)::int
      from generate_series(p_after + 1, least(p_through, (p_campaign).total)) as o (ordinal)
      where retoma_internal.variant_of(
        retoma_internal.message_id((p_campaign).token, o.ordinal), (p_campaign).variant_bounds
      ) = p_variant
    )
  end;
end;

comment on function retoma_internal.count_of_variant(retoma_internal.campaign, int, int, int) is
'How many messages behind the ordinal p_after, up to p_through, get this variant.';
