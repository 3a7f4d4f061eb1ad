-- Volatile, so that it sees what was recorded while the caller waited for the lock of the campaign.
create or replace function retoma_internal.content_fault(p_campaign_id int) returns text
language sql volatile
begin atomic
  select t.fault from retoma_internal.campaign_content as t
  where t.campaign_id = p_campaign_id and t.fault is not null
  order by t.variant
  limit 1;
end;

comment on function retoma_internal.content_fault(int) is
'Why the content of this campaign can never be sent, in words; null when no reason is known.';
