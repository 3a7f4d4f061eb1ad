-- Locks the channel. Its triggers resume the campaigns that its disconnection interrupted, and ring.
create or replace function retoma.channel_connected(p_channel text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_id int := retoma_internal.lock_channel(p_channel);
begin
  update retoma_internal.channel as c
  set connected = true, state_reason = null
  where c.id = v_id and not c.connected;
end;
$$;

comment on function retoma.channel_connected(text) is
'The sender account is connected again. Campaigns that its disconnection interrupted continue. No effect when it was
already connected. Error RT001: unknown channel.';
