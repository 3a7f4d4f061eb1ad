create or replace function retoma_internal.is_confirmation(
  p_channel_id int, p_message_id text, p_provider_id text
) returns boolean
language sql stable
begin atomic
  select exists (
    select from retoma_internal.confirmation as c
    where c.message_id = p_message_id and c.channel_id = p_channel_id
  ) or exists (
    select from retoma_internal.confirmation as c
    where c.provider_id = p_provider_id and c.channel_id = p_channel_id
  );
end;

comment on function retoma_internal.is_confirmation(int, text, text) is
'Whether a channel has sent a confirmation under one of these ids, ours or that of the provider.';
