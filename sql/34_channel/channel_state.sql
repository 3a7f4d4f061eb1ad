create or replace function retoma_internal.channel_state(p_channel retoma_internal.channel) returns text
language sql immutable parallel safe
begin atomic
  select case
    when (p_channel).paused then 'paused'
    when (p_channel).connected then 'connected'
    else 'disconnected'
  end;
end;

comment on function retoma_internal.channel_state(retoma_internal.channel) is
'connected, disconnected or paused. A paused channel is paused, connected or not.';
