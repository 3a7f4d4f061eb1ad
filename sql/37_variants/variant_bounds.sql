create or replace function retoma_internal.variant_bounds(p_content jsonb) returns int[]
language sql immutable
begin atomic
  select case when count(*) > 1 then array_agg(v.bound order by v.variant) end
  from (
    select w.variant, (sum(w.weight) over (order by w.variant))::int as bound
    from retoma_internal.content_variants(p_content) as w
  ) as v;
end;

comment on function retoma_internal.variant_bounds(jsonb) is
'For campaign.variant_bounds: {2,3} for the weights 2 and 1. Null for one content.';
