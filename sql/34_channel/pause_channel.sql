-- Locks the channel. Its triggers interrupt the running campaigns that have no other channel.
create or replace function retoma.pause_channel(
  p_channel text, p_reason text default 'paused by the operator'
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := retoma_internal.lock_channel(p_channel);
begin
  update retoma_internal.channel as c
  set paused = true, state_reason = coalesce(p_reason, 'paused by the operator')
  where c.id = v_id and not c.paused;
end;
$$;

comment on function retoma.pause_channel(text, text) is
'Reserves nothing more on this channel until resume_channel. A reconnect does not end the pause. p_reason: shown in
v_channel. No effect when it is already paused. Error RT001: unknown channel.';
