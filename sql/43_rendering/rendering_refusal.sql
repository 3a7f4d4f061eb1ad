-- A few bad rows at the top say nothing of a long list, and a draft may still grow: it takes 1000, or the whole list.
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
  where t.campaign_id = p_campaign_id and (t.tried >= 1000 or t.rendered = c.total)
  group by t.campaign_id, t.variant, t.tried
  having sum(f.messages) = t.tried
  order by t.variant
  limit 1;
end;

comment on function retoma_internal.rendering_refusal(int) is
'In words, that a content could be made for none of its recipients so far, who are all of them or at least 1000; null
when each could for one, or fewer were tried.';
