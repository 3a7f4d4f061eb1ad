-- Locks the pacing row of a channel that is disconnected, then the channel. Its triggers resume the campaigns that its
-- disconnection interrupted, and ring.
create or replace function retoma.channel_connected(p_channel text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := (retoma_internal.find_channel(p_channel)).id;
begin
  if not (retoma_internal.find_channel(p_channel)).connected then
    perform retoma_internal.forget_failures(v_id);
  end if;
  perform retoma_internal.lock_channel(p_channel);
  update retoma_internal.channel as c
  set connected = true, state_reason = null
  where c.id = v_id and not c.connected;
end;
$$;

comment on function retoma.channel_connected(text) is
'The sender account is connected again. Campaigns that its disconnection interrupted continue. No effect when it was
already connected. Error RT001: unknown channel.';
