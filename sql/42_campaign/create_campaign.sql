-- Makes a draft, and the partitions for its messages. The overload takes one channel.
create or replace function retoma.create_campaign(
  p_name text,
  p_channels text[],
  p_text text,
  p_batch_size int default 300,
  p_starts_at timestamptz default null,
  p_max_attempts int default 3,
  p_time_zone text default null
) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel_ids int[];
  v_id int;
begin
  if coalesce(cardinality(p_channels), 0) = 0 then
    raise exception using errcode = 'RT003', constraint = 'no_channels',
      message = 'a campaign needs at least one channel',
      hint = 'Give a name, or several: array[''sales'', ''support'']';
  end if;
  v_channel_ids := (
    select array_agg(distinct (retoma_internal.find_channel(u.name)).id) from unnest(p_channels) as u (name)
  );
  perform retoma_internal.check_text(p_text);
  perform retoma_internal.check_time_zone(p_time_zone);
  insert into retoma_internal.campaign (name, body, required_variables, batch_size, starts_at, max_attempts, time_zone)
  values (
    trim(p_name), p_text, retoma_internal.template_variables(p_text), coalesce(p_batch_size, 300), p_starts_at,
    coalesce(p_max_attempts, 3), p_time_zone
  )
  on conflict (name) do nothing
  returning id into v_id;
  if v_id is null then
    raise exception using errcode = 'RT004', constraint = 'name_taken',
      message = format('there already is a campaign %L', trim(p_name)),
      hint = 'Choose another name; finished campaigns keep theirs for the record';
  end if;
  insert into retoma_internal.campaign_channel (campaign_id, channel_id)
  select v_id, u.id from unnest(v_channel_ids) as u (id);
  perform retoma_internal.ensure_partition(v_id);
  return v_id;
exception
  when check_violation or not_null_violation or numeric_value_out_of_range then
    raise exception using errcode = 'RT003', constraint = 'bad_values',
      message = format('these values do not make a campaign: %s', sqlerrm),
      hint = 'name: 1 to 200 characters; batch size: 1 to 10000; attempts: 1 to 20';
end;
$$;

comment on function retoma.create_campaign(text, text[], text, int, timestamptz, int, text) is
'Makes a draft and returns its id. p_channels: the sender accounts that share it. p_text: a Liquid text, for example
''Olá {{ name }}''. p_batch_size: messages per batch. p_starts_at: start_campaign waits until then. p_max_attempts:
tries per message. p_time_zone: zone for recipients whose own zone is unknown, and for the days of its limits. Next:
add_recipients or load_staged, then start_campaign.
Errors: RT001 unknown channel, RT003 bad value, RT004 name taken.';

create or replace function retoma.create_campaign(
  p_name text,
  p_channel text,
  p_text text,
  p_batch_size int default 300,
  p_starts_at timestamptz default null,
  p_max_attempts int default 3,
  p_time_zone text default null
) returns int
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select retoma.create_campaign(
    p_name, array[p_channel], p_text, p_batch_size, p_starts_at, p_max_attempts, p_time_zone
  );
end;

comment on function retoma.create_campaign(text, text, text, int, timestamptz, int, text) is
'As create_campaign with an array of channels, for one channel.';
