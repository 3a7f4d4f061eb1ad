create or replace function retoma_internal.has_arrived(p_campaign_id int, p_ordinal int) returns boolean
language sql stable
begin atomic
  select exists(
    select from retoma_internal.delivery as d
    where d.campaign_id = p_campaign_id and d.ordinal = p_ordinal and d.receipt in ('server', 'delivered', 'read')
  );
end;

comment on function retoma_internal.has_arrived(int, int) is
'Whether a receipt has proved that an attempt to send this message was accepted.';
