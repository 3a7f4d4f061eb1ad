create or replace function retoma_internal.deduped_kinds(p_channel retoma_internal.channel) returns text[]
language sql stable
begin atomic
  select array(
    select k.kind
    from retoma.transport_kind as k
    where k.transport = (p_channel).transport
      and retoma_internal.matches_any((p_channel).settings, k.dedupes_when)
      and (not k.shows_id or k.kind = any((p_channel).id_taken)) and k.kind <> all((p_channel).id_ignored)
    order by k.kind
  );
end;

comment on function retoma_internal.deduped_kinds(retoma_internal.channel) is
'The kinds of content for which the provider of this channel shows a repeated message id only once: those that its
transport promises for these settings, and that no answer has disproved. Where answers show the id, one has proved it.';
