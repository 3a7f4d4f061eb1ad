create or replace function retoma_internal.content_texts(p_content jsonb, p_channel_ids int[]) returns jsonb
language sql stable
begin atomic
  select coalesce(
    jsonb_agg(
      jsonb_strip_nulls(jsonb_build_object(
        'path', p.path,
        'place', p.place,
        'maximum', least(l.maximum, 65536),
        'required', nullif(f.required or f.alternative, false),
        'free', nullif(p.type = 'free', false),
        'pattern', t.pattern,
        'words', t.words
      ))
      order by p.place
    ),
    '[]'
  )
  from retoma_internal.content_parts(p_content) as p
  left join retoma_internal.content_field as f on f.kind = p_content ->> 'kind' and p.field = f.field
  left join retoma_internal.text_form as t on p.type = t.type
  left join retoma_internal.content_limits(p_content ->> 'kind', p_channel_ids) as l on p.field = l.field
  where jsonb_typeof(p.value) = 'string' and p.type <> 'word';
end;

comment on function retoma_internal.content_texts(jsonb, int[]) is
'The Liquid texts of a content for these channels, with what a runner has to know of each. path: names, and indexes from
0; place: the same in words. maximum: characters. required: it may not be blank; without it, a blank text is left out
with its name. free: it may be blank. pattern: what it has to match, else words says what is wrong.';
