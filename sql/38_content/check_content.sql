-- The only place in SQL that knows the shape of a content. Only the parser of the runner knows Liquid, so this function
-- ignores braces. "Empty" means what Python calls blank, because a content without braces is checked only here.
create or replace function retoma_internal.check_content(p_content jsonb, p_channel_ids int[]) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_kind text := p_content ->> 'kind';
  v_text text := p_content ->> 'text';
  v_refusing text;
  v_longest int;
  v_unknown text;
begin
  if jsonb_typeof(p_content) <> 'object' then
    raise exception using errcode = 'RT003', constraint = 'not_an_object',
      message = format('a content is a JSON object, not %s', jsonb_typeof(p_content)),
      hint = 'For example {"kind": "text", "text": "Olá {{ name }}"}';
  end if;
  select
    retoma_internal.listed(array_agg(c.name order by c.name) filter (where k.kind is null)),
    least(min(k.max_length), 65536)
  into v_refusing, v_longest
  from retoma_internal.channel as c
  left join retoma.transport_kind as k on c.transport = k.transport and k.kind = v_kind
  where c.id = any(p_channel_ids);
  if v_refusing is not null then
    raise exception using errcode = 'RT003', constraint = 'unknown_kind',
      message = case
        when v_kind is null then 'the content has no kind'
        else format('the channels %s cannot send content of the kind %L', v_refusing, v_kind)
      end,
      hint = 'Kinds are in retoma.transport_kind. For example {"kind": "text", "text": "Olá {{ name }}"}';
  end if;
  v_unknown := retoma_internal.listed(
    array(select k from jsonb_object_keys(p_content) as k where k not in ('kind', 'text') order by k)
  );
  if v_unknown is not null then
    raise exception using errcode = 'RT003', constraint = 'unknown_key',
      message = format('a content of the kind %s has no field %s', v_kind, v_unknown), hint = 'Its fields: text';
  elsif jsonb_typeof(p_content -> 'text') not in ('string', 'null') then
    raise exception using errcode = 'RT003', constraint = 'not_a_text',
      message = 'the text of the content is not a text', hint = 'For example "Olá {{ name }}"';
  elsif coalesce(v_text, '') ~ '^[\s\u001c-\u001f\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$' then
    raise exception using errcode = 'RT003', constraint = 'empty_text',
      message = 'the text of a campaign cannot be empty', hint = 'For example ''Olá {{ name }}''';
  elsif length(v_text) > v_longest then
    raise exception using errcode = 'RT003', constraint = 'text_too_long',
      message = format('the text has %s characters, but at most %s are allowed', length(v_text), v_longest),
      hint = 'Shorten it: few people read such a long message';
  end if;
end;
$$;

comment on function retoma_internal.check_content(jsonb, int[]) is
'Error RT003 when one of these channels cannot send such a content, whatever its Liquid means.';
