-- A receipt whose batch was in use when it came waits in the inbox.
create or replace function retoma_internal.has_arrived(p_campaign_id int, p_ordinal int) returns boolean
language sql stable
begin atomic
  select exists (
    select from retoma_internal.delivery as d
    where d.campaign_id = p_campaign_id and d.ordinal = p_ordinal and d.receipt in ('server', 'delivered', 'read')
  ) or exists (
    select from retoma_internal.campaign as c
    inner join retoma_internal.campaign_channel as cc on c.id = cc.campaign_id
    inner join retoma_internal.receipt_inbox as i
      on cc.channel_id = i.channel_id and i.message_id = retoma_internal.message_id(c.token, p_ordinal)
      and i.status in ('server', 'delivered', 'read')
    where c.id = p_campaign_id
  ) or exists (
    select from retoma_internal.delivery as d
    inner join retoma_internal.receipt_inbox as i
      on d.channel_id = i.channel_id and d.provider_id = i.provider_id and i.message_id is null
      and i.status in ('server', 'delivered', 'read')
    where d.campaign_id = p_campaign_id and d.ordinal = p_ordinal and d.provider_id is not null
  );
end;

comment on function retoma_internal.has_arrived(int, int) is
'Whether a receipt has proved that an attempt to send this message was accepted.';
