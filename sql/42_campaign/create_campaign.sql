-- Locks the new rows, and what ensure_partition locks. The overload takes one channel.
create or replace function retoma.create_campaign(
  p_name text,
  p_channels text[],
  p_text text default null,
  p_batch_size int default 300,
  p_starts_at timestamptz default null,
  p_max_attempts int default 3,
  p_time_zone text default null,
  p_content jsonb default null
) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_name text := trim(p_name);
  v_content jsonb := coalesce(p_content, jsonb_build_object('kind', 'text', 'text', p_text));
  v_channel_ids int[];
  v_id int;
begin
  if coalesce(cardinality(p_channels), 0) = 0 then
    raise exception using errcode = 'RT003', constraint = 'no_channels',
      message = 'a campaign needs at least one channel',
      hint = 'Give a name, or several: array[''sales'', ''support'']';
  elsif (p_text is null) = (p_content is null) then
    raise exception using errcode = 'RT003', constraint = 'one_content',
      message = 'a campaign has either a text or a content',
      hint = 'Give one: p_text => ''Olá'', or p_content => ''{"kind": "text", "text": "Olá"}''';
  end if;
  v_channel_ids := (
    select array_agg(distinct (retoma_internal.find_channel(u.name)).id) from unnest(p_channels) as u (name)
  );
  perform retoma_internal.check_campaign_values(v_name, p_batch_size, p_max_attempts);
  perform retoma_internal.check_variants(v_content, v_channel_ids);
  perform retoma_internal.check_time_zone(p_time_zone);
  insert into retoma_internal.campaign (name, batch_size, starts_at, max_attempts, time_zone, variant_bounds)
  values (
    v_name, coalesce(p_batch_size, 300), p_starts_at, coalesce(p_max_attempts, 3), p_time_zone,
    retoma_internal.variant_bounds(v_content)
  )
  on conflict (name) do nothing
  returning id into v_id;
  if v_id is null then
    raise exception using errcode = 'RT004', constraint = 'name_taken',
      message = format('there is already a campaign %L', v_name),
      hint = 'Choose another name; finished campaigns keep their names for the record';
  end if;
  perform retoma_internal.put_variants(v_id, v_content, v_channel_ids);
  insert into retoma_internal.campaign_channel (campaign_id, channel_id)
  select v_id, u.id from unnest(v_channel_ids) as u (id);
  perform retoma_internal.keep_media(v_id);
  perform retoma_internal.ensure_partition(v_id);
  return v_id;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.create_campaign(text, text[], text, int, timestamptz, int, text, jsonb) is
'Creates a draft and returns its id. p_channels: names of the channels that share it. p_text: a Liquid text, for example
''Olá {{ name }}''; or p_content, of any kind in content_kinds: {"kind": "image", "media": {"link": "https://…"},
"caption": "Olá {{ name }}"}. Each text in it is Liquid. Or several contents of one kind,
of which each message gets the one that follows from its id: {"variants": [{"weight": 2, "content": {…}},
{"weight": 1, "content": {…}}]}. p_batch_size: messages per batch, 1 to
10000. p_starts_at: start_campaign waits until this time. p_max_attempts: attempts per message, 1 to 20. p_time_zone:
IANA zone for recipients whose own zone is not known, and for the limits of the campaign.
Next: add_recipients or load_staged, then start_campaign. A live runner checks the Liquid within a second;
v_campaign_summary shows when it refuses it.
Errors: RT001 unknown channel or file, RT003 bad value, RT004 name taken.';

create or replace function retoma.create_campaign(
  p_name text,
  p_channel text,
  p_text text default null,
  p_batch_size int default 300,
  p_starts_at timestamptz default null,
  p_max_attempts int default 3,
  p_time_zone text default null,
  p_content jsonb default null
) returns int
language sql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
begin atomic
  select retoma.create_campaign(
    p_name, array[p_channel], p_text, p_batch_size, p_starts_at, p_max_attempts, p_time_zone, p_content
  );
end;

comment on function retoma.create_campaign(text, text, text, int, timestamptz, int, text, jsonb) is
'The same as create_campaign with an array of channels, for one channel: p_channel is its name.
Errors: RT001 unknown channel or file, RT003 bad value, RT004 name taken.';
