create or replace function retoma_internal.header_mismatch(
  p_component jsonb, p_given jsonb, p_named boolean
) returns text
language sql immutable
begin atomic
  select case
    when f.format = 'TEXT' and f.variable = '' then
      case when p_given is not null then 'its header takes no value' end
    when p_given is null then format('its header requires a value (%s)', lower(f.format))
    when f.format <> 'TEXT' and p_given -> lower(f.format) is null then format('its header is a %s', lower(f.format))
    when f.format <> 'TEXT' then null
    when p_given -> 'text' is null then 'its header is a text'
    when p_named and coalesce(p_given ->> 'parameter', '') <> f.variable
      then format('the variable of its header is called %s: give it as "parameter"', f.variable)
    when not p_named and p_given -> 'parameter' is not null
      then 'the variable of its header has no name: leave out "parameter"'
  end
  from (
    select
      upper(coalesce(p_component ->> 'format', 'TEXT')) as format,
      array_to_string(
        retoma_internal.template_variables(coalesce(p_component ->> 'text', '')), ', '
      ) as variable
  ) as f;
end;

comment on function retoma_internal.header_mismatch(jsonb, jsonb, boolean) is
'Why the header of a content does not fit a template, in words; null when it does. p_component: HEADER of the template,
or null; p_given: header of the content, or null; p_named: whether the variables of the template have names.';
