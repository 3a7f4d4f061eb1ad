-- Runs over every recipient, and is one expression, so that the planner puts it into the query.
--
-- All that a runner reads in one step comes in one reply and through one parser of JSON, so one recipient must not fill
-- it. The parsers of most languages refuse numbers of thousands of digits and deep nesting, and with them the reply.
create or replace function retoma_internal.reject_reason(
  p_phone text, p_variables jsonb, p_words text, p_zone text, p_bad_zones text[]
) returns text
language sql immutable parallel safe
begin atomic
  select case
    when coalesce(p_phone, '') = '' then 'no phone number'
    when not retoma_internal.is_e164(p_phone) then 'not an E.164 number, such as +5511955501234'
    when jsonb_typeof(p_variables) <> 'object' then 'variables are not a JSON object'
    when octet_length(p_words) > 16384 then 'variables have more than 16384 bytes'
    when octet_length(p_words) > 1000 and p_words ~ '([0-9]{250}){4}' then 'a number has 1000 digits or more'
    when (p_words like '_%{%' or p_words like '%[%') and jsonb_path_exists(p_variables, 'strict $.**{9 to last}')
      then 'variables are nested more than 8 levels deep'
    when length(p_zone) > 4000 then 'too many time zones'
    -- Bad zones are rare, and splitting every zone into its names takes longer than all other checks together.
    when p_bad_zones <> '{}' and p_zone is not null and string_to_array(p_zone, ',') && p_bad_zones
      then 'unknown time zone'
  end;
end;

comment on function retoma_internal.reject_reason(text, jsonb, text, text, text[]) is
'Why a recipient cannot be loaded, in words; null when it can. p_words: p_variables as text. p_bad_zones: zones that the
server does not know.';
