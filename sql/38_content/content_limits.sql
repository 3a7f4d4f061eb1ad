create or replace function retoma_internal.content_limits(
  p_kind text, p_channel_ids int[], out field text, out maximum int
) returns setof record
language sql stable
begin atomic
  select l.field, min(l.maximum)
  from retoma.content_limit as l
  where l.kind = p_kind
    and l.transport in (select c.transport from retoma_internal.channel as c where c.id = any(p_channel_ids))
  group by l.field;
end;

comment on function retoma_internal.content_limits(text, int[]) is
'What all of these channels take of a kind of content: the lowest limit of each field.';
