create or replace function retoma_internal.content_media(
  p_content jsonb, out place text, out path jsonb, out medium text, out name text
) returns setof record
language sql stable
begin atomic
  select
    p.place,
    p.path - -1,
    case when o.name = 'media' then p_content ->> 'kind' else o.name end,
    p.value #>> '{}'
  from retoma_internal.content_parts(p_content) as p
  cross join lateral substring(p.field, '([a-z]+)[.]file$') as o (name)
  where o.name is not null;
end;

comment on function retoma_internal.content_media(jsonb) is
'The stored files that a content says. place: of the name, in words; path: names, and indexes from 0, of the object that
has it; medium: image, video, document or audio; name: of the file.';
