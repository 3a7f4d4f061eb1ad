create or replace function retoma_internal.is_under_way(
  p_delivery retoma_internal.delivery, p_channel_id int
) returns boolean
language sql stable
begin atomic
  select exists(
    select from retoma_internal.batch as b
    where b.status = 'leased' and b.lease_channel_id = p_channel_id and b.campaign_id = (p_delivery).campaign_id
      and b.attempt = (p_delivery).attempt + 1
      and (p_delivery).ordinal = any(retoma_internal.batch_ordinals(b, 1, b.reserved))
  );
end;

comment on function retoma_internal.is_under_way(retoma_internal.delivery, int) is
'Whether the next attempt after this one is reserved on the channel now, and its lease goes on.';
