-- Volatile, so that it sees what was committed while the caller waited for a lock.
create or replace function retoma_internal.medium_fault(p_channel_id int, p_campaign_id int) returns text
language sql volatile
begin atomic
  select w.fault
  from retoma_internal.medium_wait as w
  where w.channel_id = p_channel_id and w.campaign_id = p_campaign_id and w.fault is not null
  order by w.fault
  limit 1;
end;

comment on function retoma_internal.medium_fault(int, int) is
'Why this channel cannot send a stored file of this campaign, in words; null when it can, or when the file is being
uploaded.';
