-- Locks the channel. Its triggers resume the campaigns that its absence interrupted, and ring.
create or replace function retoma.channel_connected(p_name text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := retoma_internal.lock_channel(p_name);
begin
  update retoma_internal.channel as c
  set connected = true, state_reason = null
  where c.id = v_id and not c.connected;
end;
$$;

comment on function retoma.channel_connected(text) is
'The sender account is connected (again): campaigns that its absence interrupted go on. Harmless when it was connected
already. Error RT001: unknown channel.';
