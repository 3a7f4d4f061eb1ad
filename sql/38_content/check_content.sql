create or replace function retoma_internal.check_content(p_content jsonb, p_channel_ids int[]) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_kind text := p_content ->> 'kind';
  v_refusing text;
begin
  if jsonb_typeof(p_content) <> 'object' then
    raise exception using errcode = 'RT003', constraint = 'not_an_object',
      message = format('a content is a JSON object, not %s', jsonb_typeof(p_content)),
      hint = 'For example {"kind": "text", "text": "Olá {{ name }}"}';
  elsif length(p_content::text) > 500000 then
    raise exception using errcode = 'RT003', constraint = 'text_too_long',
      message = format('the content has %s characters, at most 500000', length(p_content::text)),
      hint = 'Shorten it: people do not read so much in a message';
  end if;
  select retoma_internal.listed(array_agg(c.name order by c.name)) into v_refusing
  from retoma_internal.channel as c
  where c.id = any(p_channel_ids) and not exists (
    select from retoma.transport_kind as k where k.transport = c.transport and k.kind = v_kind
  );
  if v_refusing is not null then
    raise exception using errcode = 'RT003', constraint = 'unknown_kind',
      message = case
        when v_kind is null then 'the content has no kind'
        else format('the channels %s cannot send content of the kind %L', v_refusing, left(v_kind, 100))
      end,
      hint = 'retoma.content_kinds has what each transport sends. For example '
        || '{"kind": "text", "text": "Olá {{ name }}"}';
  end if;
  perform retoma_internal.check_shape(p_content);
  perform retoma_internal.check_forms(p_content);
  perform retoma_internal.check_lengths(p_content, p_channel_ids);
  perform retoma_internal.check_media(p_content, p_channel_ids);
end;
$$;

comment on function retoma_internal.check_content(jsonb, int[]) is
'Error RT003 when one of these channels cannot send such a content, whatever its Liquid means; RT001 when it says a
stored file that does not exist.';
