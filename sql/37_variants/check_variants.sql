-- One kind, because the kind of the content of a campaign decides what may be sent again.
create or replace function retoma_internal.check_variants(p_content jsonb, p_channel_ids int[]) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_variant record;
  v_message text;
  v_hint text;
begin
  if jsonb_typeof(p_content) <> 'object' or not p_content ? 'variants' then
    perform retoma_internal.check_content(p_content, p_channel_ids);
    return;
  elsif p_content - 'variants' <> '{}' or jsonb_typeof(p_content -> 'variants') <> 'array'
    or jsonb_array_length(p_content -> 'variants') not between 2 and 20
    or exists (
      select from jsonb_array_elements(p_content -> 'variants') as v (item)
      where case
        when jsonb_typeof(v.item) <> 'object' then true
        else v.item - '{weight,content}'::text[] <> '{}' or not v.item ? 'content'
          or v.item ? 'weight' and (v.item -> 'weight')::text !~ '^([1-9][0-9]{0,2}|1000)$'
      end
    )
  then
    raise exception using errcode = 'RT003', constraint = 'bad_variants',
      message = 'variants are 2 to 20 contents, each with a weight from 1 to 1000',
      hint = 'For example {"variants": [{"weight": 2, "content": {"kind": "text", "text": "Olá"}}, '
        || '{"weight": 1, "content": {"kind": "text", "text": "Oi"}}]}';
  elsif length(p_content::text) > 500000 then
    raise exception using errcode = 'RT003', constraint = 'text_too_long',
      message = format('the variants have %s characters together, at most 500000', length(p_content::text)),
      hint = 'Shorten them: people do not read so much in a message';
  end if;
  for v_variant in select v.* from retoma_internal.content_variants(p_content) as v loop
    begin
      perform retoma_internal.check_content(v_variant.content, p_channel_ids);
    exception
      when sqlstate 'RT003' then
        get stacked diagnostics v_message = message_text, v_hint = pg_exception_hint;
        raise exception using errcode = 'RT003', constraint = 'variant_refused',
          message = format('variant %s: %s', v_variant.variant, v_message), hint = v_hint;
    end;
  end loop;
  if (select count(distinct v.content ->> 'kind') from retoma_internal.content_variants(p_content) as v) > 1 then
    raise exception using errcode = 'RT003', constraint = 'kinds_differ',
      message = 'the variants of a campaign are of one kind',
      hint = 'Create a campaign for each kind, with a part of the list';
  end if;
end;
$$;

comment on function retoma_internal.check_variants(jsonb, int[]) is
'Error RT003 when this is neither a content that each of these channels can send, nor several of one kind.';
