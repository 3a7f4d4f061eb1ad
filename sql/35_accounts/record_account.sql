-- A poll sees a state that lasts. It disconnects an account that stopped working; it connects one again only when the
-- poll before it saw that it did not work: what a refused message or an operator has disconnected, although the session
-- works, stays so.
--
-- Locks the pacing of the channel, its limit, the reading, then the channel and its campaigns. An answer that comes
-- after another runner has had its turn is ignored.
create or replace function retoma.record_account(
  p_channel_id int, p_asked_at timestamptz, p_account jsonb, p_fault text default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_now timestamptz := retoma.clock();
  v_channel retoma_internal.channel;
  v_old retoma_internal.account_reading;
  v_new retoma_internal.account_reading;
begin
  perform retoma_internal.insist_on_read_committed();
  perform retoma_internal.check_account(p_account, p_fault);
  perform from retoma_internal.channel_pacing as p where p.channel_id = p_channel_id for update;
  select r.* into v_old from retoma_internal.account_reading as r
  where r.channel_id = p_channel_id and r.asked_at = p_asked_at;
  if not found then
    return;
  end if;
  select c.* into v_channel from retoma_internal.channel as c where c.id = p_channel_id;
  v_new := v_old;
  v_new.fault := left(p_fault, 500);
  if p_fault is null then
    v_new.read_at := v_now;
    v_new.connected := coalesce((p_account ->> 'connected')::boolean, v_old.connected);
    v_new.server := left(p_account ->> 'server', 200);
    v_new.quality := left(p_account ->> 'quality', 50);
    v_new.people_per_day := (p_account ->> 'people_per_day')::int;
    v_new.rate_per_s := (p_account ->> 'rate_per_s')::double precision;
    perform retoma_internal.apply_account(v_channel, v_old, v_new);
  end if;
  update retoma_internal.account_reading as r
  set
    fault = v_new.fault, read_at = v_new.read_at, connected = v_new.connected, server = v_new.server,
    quality = v_new.quality, people_per_day = v_new.people_per_day, rate_per_s = v_new.rate_per_s,
    next_at = case
      when r.next_at < p_asked_at + interval '5 minutes' then r.next_at
      else v_now + (select t.reads_account_every from retoma.transport as t where t.name = v_channel.transport)
    end
  where r.channel_id = p_channel_id and r.asked_at = p_asked_at;
  if p_fault is not null then
    return;
  elsif not v_new.connected then
    perform retoma.channel_disconnected(
      v_channel.name, 'the provider says: ' || coalesce(left(p_account ->> 'reason', 100), 'not connected'), p_asked_at
    );
  elsif v_new.connected and not coalesce(v_old.connected, true) then
    perform retoma.channel_connected(v_channel.name, p_asked_at);
  end if;
end;
$$;

comment on function retoma.record_account(int, timestamptz, jsonb, text) is
'For runners: records what a provider said about the account of a channel after accounts_to_read, or why it said
nothing. p_asked_at: as returned by accounts_to_read. p_account: {"connected": true, "reason": "CONNECTED", "server":
"gateway 2026.8", "quality": "GREEN", "people_per_day": 2000, "rate_per_s": 80}; what is left out or null was not said.
connected: false disconnects the channel, and true connects one that was disconnected in this way. people_per_day
becomes a limit of the channel, or of its group; rate_per_s lowers the rate of the channel.
Error RT003: not such an account, both or neither of p_account and p_fault.';
