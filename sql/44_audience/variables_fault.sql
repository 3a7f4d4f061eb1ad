-- Everything that a runner reads in one step passes through one call and one parser, so one recipient must not fill
-- it. A JSON parser refuses numbers of thousands of digits and deep nesting, and with them all recipients of the step.
create or replace function retoma_internal.variables_fault(p_variables jsonb) returns text
language sql immutable parallel safe
begin atomic
  select case
    when jsonb_typeof(p_variables) <> 'object' then 'variables are not a JSON object'
    when octet_length(t.words) > 16384 then format('variables have %s bytes, more than 16384', octet_length(t.words))
    when octet_length(t.words) > 1000 and t.words ~ '[0-9]{1000}' then 'a number has 1000 digits or more'
    -- The path is slow, and nearly all variables are flat.
    when length(t.words) - length(translate(t.words, '[{', '')) > 8
      and jsonb_path_exists(p_variables, 'strict $.**{9 to last}') then 'variables are nested more than 8 levels deep'
  end
  from (select p_variables::text as words) as t;
end;

comment on function retoma_internal.variables_fault(jsonb) is
'Why these variables of a recipient cannot be taken, in words; null when they can.';
