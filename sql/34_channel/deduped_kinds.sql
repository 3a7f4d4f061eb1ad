create or replace function retoma_internal.deduped_kinds(p_transport text, p_settings jsonb) returns text[]
language sql stable
begin atomic
  select array(
    select k.kind
    from retoma.transport_kind as k
    where k.transport = p_transport and retoma_internal.matches_any(p_settings, k.dedupes_when)
    order by k.kind
  );
end;

comment on function retoma_internal.deduped_kinds(text, jsonb) is
'The kinds of content for which a provider with these settings shows a repeated message id only once.';
