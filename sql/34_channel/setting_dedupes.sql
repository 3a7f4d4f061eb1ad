-- WAHA accepts a message id of ours only on the engines NOWEB and GOWS; a webhook receiver has to say that it is
-- idempotent.
create or replace function retoma_internal.setting_dedupes(p_transport text, p_settings jsonb) returns boolean
language sql immutable parallel safe
begin atomic
  select case p_transport
    when 'waha' then coalesce(upper(p_settings ->> 'engine') in ('NOWEB', 'GOWS'), false)
    else coalesce(p_settings -> 'idempotent' = 'true'::jsonb, false)
  end;
end;

comment on function retoma_internal.setting_dedupes(text, jsonb) is
'Whether the provider behind these settings shows a repeated message id once.';
