-- Locks only the new rows.
create or replace function retoma.create_channel(
  p_name text, p_transport text, p_settings jsonb default '{}', p_pacing jsonb default '{}'
) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_transport retoma.transport;
  v_id int;
begin
  select t.* into v_transport from retoma.transport as t where t.name = p_transport;
  if not found then
    raise exception using errcode = 'RT001', constraint = 'unknown_transport',
      message = format('there is no transport %s', coalesce(quote_literal(left(p_transport, 200)), 'null')),
      hint = 'Transports: '
        || retoma_internal.listed(array(select t.name from retoma.transport as t order by t.name));
  end if;
  if p_name is null or p_name !~ '^[a-z0-9][a-z0-9_.-]{0,62}$' then
    raise exception using errcode = 'RT003', constraint = 'bad_name',
      message = format('%s is not a channel name', coalesce(quote_literal(left(p_name, 200)), 'null')),
      hint = 'Use up to 63 lower-case letters, digits, dots, dashes and underscores, for example sales';
  end if;
  insert into retoma_internal.channel (name, transport) values (p_name, p_transport)
  on conflict (name) do nothing
  returning id into v_id;
  if v_id is null then
    raise exception using errcode = 'RT004', constraint = 'name_taken',
      message = format('there is already a channel %L', p_name),
      hint = 'Change it with retoma.configure_channel, or choose another name';
  end if;
  insert into retoma_internal.channel_pacing (channel_id) values (v_id);
  insert into retoma_internal.number_checking (channel_id) values (v_id);
  perform retoma.configure_channel(p_name, p_settings, '{"burst": null}' || v_transport.pacing);
  -- A rate without a burst gets a burst of one second's messages, not the burst of the transport. With gaps, one
  -- message is under way at a time, whatever the transport allows.
  perform retoma.configure_channel(p_name, '{}', case
    when jsonb_typeof(p_pacing) <> 'object' then p_pacing
    else case when p_pacing ? 'rate_per_s' then '{"burst": null}'::jsonb else '{}' end
      || case
        when p_pacing @? '$.gap_max_s ? (@ > 0)' then '{"max_in_flight": null, "max_leases": null}'::jsonb
        else '{}'
      end
      || p_pacing
  end);
  return v_id;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.create_channel(text, text, jsonb, jsonb) is
'Creates a sender account and returns its id.
p_settings: address and credentials, for example {"url": "https://gateway.example/messages", "secret":
"env:RETOMA_SECRET_GATEWAY"}. transport_setting lists the settings of each transport.
p_pacing; a key that is not named has the value of the transport:
gap_min_s and gap_max_s, batch_gap_min_s and batch_gap_max_s: seconds between messages and between batches, random
between the two. rate_per_s and burst: a token bucket; by default the burst is one second''s messages. max_in_flight:
requests under way at once, per lease. max_leases: batches leased at once, so that several runners can serve one fast
channel; both are 1 where there are gaps.
For a maximum of messages per hour or day, see set_limit.
Errors: RT001 unknown transport, RT003 bad value, RT004 name taken.';
