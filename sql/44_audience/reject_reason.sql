create or replace function retoma_internal.reject_reason(
  p_phone text, p_variables jsonb, p_zone text, p_bad_zones text[]
) returns text
language sql immutable parallel safe
begin atomic
  select case
    when coalesce(p_phone, '') = '' then 'no phone number'
    when not retoma_internal.is_e164(p_phone) then 'not an E.164 number, such as +5511955501234'
    when length(p_zone) > 4000 then 'too many time zones'
    -- Bad zones are rare, and splitting every zone into its names takes longer than all other checks together.
    when p_bad_zones <> '{}' and p_zone is not null and string_to_array(p_zone, ',') && p_bad_zones
      then 'unknown time zone'
    else retoma_internal.variables_fault(p_variables)
  end;
end;

comment on function retoma_internal.reject_reason(text, jsonb, text, text[]) is
'Why a recipient cannot be loaded, in words; null when it can. p_bad_zones: zones that the server does not know.';
