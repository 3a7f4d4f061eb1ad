create or replace function retoma_internal.has_liquid(p_content jsonb) returns boolean
language sql stable
begin atomic
  select coalesce(bool_or(strpos(p.value #>> '{}', '{') > 0), false)
  from retoma_internal.content_parts(p_content) as p
  where jsonb_typeof(p.value) = 'string';
end;

comment on function retoma_internal.has_liquid(jsonb) is
'Whether a text of this content has a brace. Without one it is the same for every recipient.';
