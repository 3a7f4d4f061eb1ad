create or replace function retoma.setting_looks_up(p_transport text, p_settings jsonb) returns boolean
language sql immutable parallel safe
begin atomic
  select coalesce(p_settings -> case p_transport when 'waha' then 'store' else 'look_up' end = 'true'::jsonb, false);
end;

comment on function retoma.setting_looks_up(text, jsonb) is
'Whether the provider behind these settings can say if it has a message of ours.';
