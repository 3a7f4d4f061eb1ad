create or replace function retoma_internal.channel_state(p_connected boolean, p_paused boolean) returns text
language sql immutable parallel safe
begin atomic
  select case when p_paused then 'paused' when p_connected then 'connected' else 'disconnected' end;
end;

comment on function retoma_internal.channel_state(boolean, boolean) is
'connected, disconnected or paused, as people see it.';
