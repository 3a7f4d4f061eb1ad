create or replace function retoma_internal.contents_of(p_campaign_id int) returns jsonb
language sql stable
begin atomic
  select jsonb_agg(jsonb_build_object('content', t.content, 'texts', t.texts) order by t.variant)
  from retoma_internal.campaign_content as t where t.campaign_id = p_campaign_id;
end;

comment on function retoma_internal.contents_of(int) is
'The contents of a campaign with their texts, in the order of their variants, as in lease_batch.';
