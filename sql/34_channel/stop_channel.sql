-- Locks the channel. Its triggers interrupt the running campaigns that have no other channel.
create or replace function retoma_internal.stop_channel(p_channel text, p_reason text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := retoma_internal.lock_channel(p_channel);
begin
  update retoma_internal.channel as c
  set paused = true, state_reason = p_reason
  where c.id = v_id and not c.paused;
end;
$$;

comment on function retoma_internal.stop_channel(text, text) is
'Pauses a channel, for an operator or a breaker. No effect when it is already paused. Error RT001: unknown channel.';
