create or replace function retoma_internal.check_media(p_content jsonb, p_channel_ids int[]) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_fault record;
begin
  select
    c.place, c.medium, c.name, d.mimetype, d.size, h.name as channel, l.maximum,
    t.keeps_media_for is not null or retoma_internal.matches_any(h.settings, t.inlines_media_when) as takes_files
  into v_fault
  from retoma_internal.content_media(p_content) as c
  left join retoma_internal.medium as m on c.name = m.name
  left join retoma_internal.medium_data as d on m.sha256 = d.sha256
  inner join retoma_internal.channel as h on h.id = any(p_channel_ids)
  inner join retoma.transport as t on h.transport = t.name
  left join retoma.medium_limit as l
    on h.transport = l.transport and c.medium = l.medium and d.mimetype = l.mimetype
  where d.size is null or l.maximum is null or d.size > l.maximum
    or t.keeps_media_for is null and not retoma_internal.matches_any(h.settings, t.inlines_media_when)
  order by c.place, h.name
  limit 1;
  if not found then
    return;
  elsif not v_fault.takes_files then
    raise exception using errcode = 'RT003', constraint = 'no_stored_media',
      message = format('%s is a stored file, and the channel %L takes media by link only', v_fault.place,
        v_fault.channel),
      hint = 'Give {"link": "https://…"} in place of the file, or set media_as of the channel to base64 if it has it';
  elsif v_fault.size is null then
    raise exception using errcode = 'RT001', constraint = 'unknown_medium',
      message = format('there is no file %L (%s)', v_fault.name, v_fault.place),
      hint = 'Store it first: retoma media add FILE. retoma.v_medium lists the files';
  elsif v_fault.maximum is null then
    raise exception using errcode = 'RT003', constraint = 'medium_refused',
      message = format('%s is %s, which the channel %L does not take for a medium of the kind %s', v_fault.place,
        v_fault.mimetype, v_fault.channel, v_fault.medium),
      hint = 'retoma.medium_limit has the types that each transport takes';
  end if;
  raise exception using errcode = 'RT003', constraint = 'medium_too_large',
    message = format('%s (%s) has %s bytes, and the channel %L takes at most %s', v_fault.place, v_fault.mimetype,
      v_fault.size, v_fault.channel, v_fault.maximum),
    hint = 'Make it smaller; retoma.medium_limit has what each transport takes';
end;
$$;

comment on function retoma_internal.check_media(jsonb, int[]) is
'Error RT001 when a content says a stored file that does not exist, RT003 when one of these channels takes no stored
files, or not this one.';
