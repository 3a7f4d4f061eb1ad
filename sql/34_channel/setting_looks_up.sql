-- WAHA needs its store, and a message id of ours to look for. Only some engines accept such an id.
create or replace function retoma_internal.setting_looks_up(p_transport text, p_settings jsonb) returns boolean
language sql immutable parallel safe
begin atomic
  select case p_transport
    when 'waha' then coalesce(p_settings -> 'store' = 'true'::jsonb, false)
      and retoma_internal.setting_dedupes(p_transport, p_settings)
    else coalesce(p_settings -> 'lookup' = 'true'::jsonb, false)
  end;
end;

comment on function retoma_internal.setting_looks_up(text, jsonb) is
'Whether the provider behind these settings can say if it has a message of ours.';
