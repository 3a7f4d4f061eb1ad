create or replace function retoma_internal.looks_up(p_transport text, p_settings jsonb) returns boolean
language sql stable
begin atomic
  select retoma_internal.matches_any(p_settings, t.looks_up_when) from retoma.transport as t where t.name = p_transport;
end;

comment on function retoma_internal.looks_up(text, jsonb) is
'Whether a provider with these settings can be asked about a message with our id.';
