-- A rare variant may have one recipient among the first, and this one a bad value: that is no fault of the content.
create or replace function retoma_internal.rendering_refusal(p_campaign_id int) returns text
language sql stable
begin atomic
  select format(
    '%snone of the first %s messages can be made; number %s: %s',
    retoma_internal.variant_in_words(t.campaign_id, t.variant),
    t.tried, min(f.first_ordinal), (array_agg(f.reason order by f.first_ordinal))[1]
  )
  from retoma_internal.campaign_content as t
  inner join retoma_internal.campaign as c on t.campaign_id = c.id
  inner join retoma_internal.render_fault as f on t.campaign_id = f.campaign_id and t.variant = f.variant
  where t.campaign_id = p_campaign_id and t.tried > 0
    and (c.variant_bounds is null or t.tried >= 20 or t.rendered = c.total)
  group by t.campaign_id, t.variant, t.tried, c.variant_bounds
  having sum(f.messages) = t.tried
  order by t.variant
  limit 1;
end;

comment on function retoma_internal.rendering_refusal(int) is
'In words, that the content could be made for none of the recipients so far; null when it could for one.';
