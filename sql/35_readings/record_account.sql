-- A poll sees a state that lasts, so it disconnects an account that stopped working. It connects one again only when a
-- report was the last word on the connection: the poll itself, or a webhook whose successor was lost. What a refused
-- message, a runner or an operator has disconnected stays so, although the session works.
--
-- Locks the pacing of the channel, the reading, its group, its limits, then the channel and its campaigns. An answer
-- that comes after another runner has had its turn is ignored.
create or replace function retoma.record_account(
  p_channel_id int, p_asked_at timestamptz, p_account jsonb, p_fault text default null
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_channel retoma_internal.channel;
  v_groups int[];
  v_old retoma_internal.account;
  v_new retoma_internal.account;
begin
  perform retoma_internal.insist_on_read_committed();
  perform retoma_internal.check_account(p_account, p_fault);
  perform from retoma_internal.channel_pacing as p where p.channel_id = p_channel_id for update;
  if not retoma_internal.lock_reading(p_channel_id, 'account', p_asked_at) then
    return;
  end if;
  perform retoma_internal.end_reading(p_channel_id, 'account', p_fault);
  if p_fault is not null then
    return;
  end if;
  select c.* into v_channel from retoma_internal.channel as c where c.id = p_channel_id;
  v_groups := array_remove(array[v_channel.channel_group_id], null);
  perform retoma_internal.lock_told_limits(p_channel_id, v_groups);
  select a.* into v_old from retoma_internal.account as a where a.channel_id = p_channel_id;
  insert into retoma_internal.account as a (channel_id, connected, server, quality, people_per_day, rate_per_s)
  values (
    p_channel_id, (p_account ->> 'connected')::boolean, left(p_account ->> 'server', 200),
    left(p_account ->> 'quality', 50), (p_account ->> 'people_per_day')::int,
    (p_account ->> 'rate_per_s')::double precision
  )
  on conflict (channel_id) do update
  set
    connected = excluded.connected, server = excluded.server, quality = excluded.quality,
    people_per_day = excluded.people_per_day, rate_per_s = excluded.rate_per_s
  returning a.* into v_new;
  perform retoma_internal.apply_account(v_channel, v_old, v_new);
  perform retoma_internal.apply_told_limits(p_channel_id, v_groups);
  if not v_new.connected then
    perform retoma.channel_disconnected(
      v_channel.name, 'the provider says: ' || coalesce(left(p_account ->> 'reason', 100), 'not connected'), p_asked_at
    );
  elsif v_new.connected then
    perform retoma_internal.lock_channel(v_channel.name);
    if exists (
      select from retoma_internal.channel as c
      where c.id = p_channel_id and not c.connected and c.reported_at > c.stated_at
    ) then
      perform retoma.channel_connected(v_channel.name, p_asked_at);
    end if;
  end if;
end;
$$;

comment on function retoma.record_account(int, timestamptz, jsonb, text) is
'For runners: records what a provider said about the account of a channel after readings_due, or why it said nothing.
p_asked_at: as returned by readings_due. p_account: {"connected": true, "reason": "CONNECTED", "server":
"gateway 2026.8", "quality": "GREEN", "people_per_day": 2000, "rate_per_s": 80}; what is left out or null was not said.
connected: false disconnects the channel, and true connects one that a report has disconnected. people_per_day becomes a
limit of the channel, or of its group; rate_per_s lowers the rate of the channel.
Error RT003: not such an account, both or neither of p_account and p_fault.';
