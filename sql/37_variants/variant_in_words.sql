create or replace function retoma_internal.variant_in_words(p_campaign_id int, p_variant int) returns text
language sql stable
begin atomic
  select case when c.variant_bounds is null then '' else format('variant %s: ', p_variant) end
  from retoma_internal.campaign as c where c.id = p_campaign_id;
end;

comment on function retoma_internal.variant_in_words(int, int) is
'What stands before a fault of a content, to say which one it is: empty where the campaign has only one.';
