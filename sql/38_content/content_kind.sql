create or replace function retoma_internal.content_kind(p_campaign_id int) returns text
language sql stable
begin atomic
  select t.content ->> 'kind'
  from retoma_internal.campaign_content as t
  where t.campaign_id = p_campaign_id and t.variant = 1;
end;

comment on function retoma_internal.content_kind(int) is
'The kind of content of a campaign, as in transport_kind; all of its variants have the same.';
