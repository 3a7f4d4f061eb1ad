create or replace function retoma_internal.content_variants(
  p_content jsonb, out variant int, out weight int, out content jsonb
) returns setof record
language sql immutable
begin atomic
  select v.n::int, coalesce((v.item ->> 'weight')::int, 1), v.item -> 'content'
  from jsonb_array_elements(
    case when p_content ? 'variants' then p_content -> 'variants' else '[]' end
  ) with ordinality as v (item, n)
  union all
  select 1, 1, p_content where not p_content ? 'variants';
end;

comment on function retoma_internal.content_variants(jsonb) is
'The contents that create_campaign was given, after check_variants: one, or each of "variants".';
