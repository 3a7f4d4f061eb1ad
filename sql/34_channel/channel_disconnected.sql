-- Locks the channel. Its triggers interrupt the running campaigns that have no other channel.
create or replace function retoma.channel_disconnected(
  p_channel text, p_reason text default 'disconnected', p_at timestamptz default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_id int := retoma_internal.lock_channel(p_channel);
begin
  if retoma_internal.note_connection(v_id, p_at) then
    update retoma_internal.channel as c
    set connected = false, state_reason = coalesce(p_reason, 'disconnected')
    where c.id = v_id and c.connected;
  end if;
end;
$$;

comment on function retoma.channel_disconnected(text, text, timestamptz) is
'The sender account is not connected: nothing is reserved on it until channel_connected. Running campaigns that have no
other usable channel become interrupted. p_reason: shown in v_channel. p_at: when the provider saw it, for its reports;
what is older than what is known changes nothing. No effect when it was already disconnected.
Errors: RT001 unknown channel, RT003 a time that is none.';
