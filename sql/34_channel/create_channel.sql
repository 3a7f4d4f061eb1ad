-- Makes a channel; pacing that is not given comes from its transport. Takes no lock except on the new rows.
create or replace function retoma.create_channel(
  p_name text,
  p_transport text,
  p_settings jsonb default '{}',
  p_gap_min_s double precision default null,
  p_gap_max_s double precision default null,
  p_batch_gap_min_s double precision default null,
  p_batch_gap_max_s double precision default null,
  p_rate_per_s double precision default null,
  p_burst int default null,
  p_max_in_flight int default null
) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_defaults retoma.transport;
  v_id int;
begin
  select t.* into v_defaults from retoma.transport as t where t.name = p_transport;
  if not found then
    raise exception using errcode = 'RT001', constraint = 'unknown_transport',
      message = format('there is no transport %s', coalesce(quote_literal(p_transport), 'null')),
      hint = 'Transports: ' || (
        select string_agg(t.name, ', ' order by t.name) from retoma.transport as t where t.name <> 'null'
      );
  end if;
  if p_name is null or p_name !~ '^[a-z0-9][a-z0-9_.-]{0,62}$' then
    raise exception using errcode = 'RT003', constraint = 'bad_name',
      message = format('%s is not a channel name', coalesce(quote_literal(p_name), 'null')),
      hint = 'Use up to 63 lower-case letters, digits, dots, dashes and underscores, for example sales';
  end if;
  insert into retoma_internal.channel (name, transport, max_in_flight)
  values (p_name, p_transport, v_defaults.max_in_flight)
  on conflict (name) do nothing
  returning id into v_id;
  if v_id is null then
    raise exception using errcode = 'RT004', constraint = 'name_taken',
      message = format('there already is a channel %L', p_name),
      hint = 'Change it with retoma.configure_channel, or choose another name';
  end if;
  insert into retoma_internal.channel_pacing (channel_id, gap_min, gap_max, batch_gap_min, batch_gap_max, rate_per_s)
  values (
    v_id, v_defaults.gap_min, v_defaults.gap_max, v_defaults.batch_gap_min, v_defaults.batch_gap_max,
    v_defaults.rate_per_s
  );
  perform retoma.configure_channel(
    p_name, coalesce(p_settings, '{}'), p_gap_min_s, p_gap_max_s, p_batch_gap_min_s, p_batch_gap_max_s,
    p_rate_per_s, coalesce(p_burst, ceil(p_rate_per_s)::int), p_max_in_flight
  );
  return v_id;
end;
$$;

comment on function retoma.create_channel(
  text, text, jsonb, double precision, double precision, double precision, double precision, double precision,
  int, int
) is
'Makes a sender account and returns its id. p_settings: address and credentials for the transport, e.g.
{"base_url": "http://127.0.0.1:3000", "session": "default", "api_key": "env:WAHA_API_KEY"} for waha,
{"url": "https://…"} for webhook.
Gaps in seconds: random between min and max, between messages and between batches (waha: 5 to 15 and 15 to 30).
p_rate_per_s and p_burst: token bucket; by default the burst is one second''s messages. p_max_in_flight: requests at
once.
Errors: RT001 unknown transport, RT003 bad value, RT004 name taken.';
