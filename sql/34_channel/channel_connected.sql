-- Locks the pacing row of the channel, then the channel, also when it looks connected: another transaction may be
-- disconnecting it. Its triggers resume the campaigns that its disconnection interrupted, and ring.
create or replace function retoma.channel_connected(p_channel text, p_at timestamptz default null) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_id int := (retoma_internal.find_channel(p_channel)).id;
begin
  perform from retoma_internal.channel_pacing as p where p.channel_id = v_id for update;
  perform retoma_internal.lock_channel(p_channel);
  if retoma_internal.note_connection(v_id, p_at) then
    update retoma_internal.channel as c
    set connected = true, state_reason = null
    where c.id = v_id and not c.connected;
    if found then
      perform retoma_internal.forget_failures(v_id);
    end if;
  end if;
end;
$$;

comment on function retoma.channel_connected(text, timestamptz) is
'The sender account is connected again. Campaigns that its disconnection interrupted continue. p_at: when the provider
saw it, for its reports; what is older than what is known changes nothing. No effect when it was already connected.
Errors: RT001 unknown channel, RT003 a time that is none.';
