create or replace function retoma_internal.body_mismatch(
  p_component jsonb, p_given jsonb, p_named boolean
) returns text
language sql immutable
begin atomic
  select case
    when not p_named and jsonb_typeof(p_given) = 'object' and p_given <> '{}'
      then 'the variables of its body have no names: give a list'
    when v.given = v.wanted then null
    when p_named then format(
      'its body has the variables {%s}, and the content gives {%s}',
      array_to_string(v.wanted, ', '), array_to_string(v.given, ', ')
    )
    else format(
      'its body has %s variables, and the content gives %s', cardinality(v.wanted), cardinality(v.given)
    )
  end
  from (
    select
      case
        when p_named then retoma_internal.template_variables(coalesce(p_component ->> 'text', ''))
        -- Their numbers say nothing more than how many there are.
        else array(
          select n::text
          from generate_series(
            1, cardinality(retoma_internal.template_variables(coalesce(p_component ->> 'text', '')))
          ) as n
          order by n
        )
      end as wanted,
      case
        when jsonb_typeof(p_given) = 'object'
          then array(select k from jsonb_object_keys(p_given) as k order by k collate "C")
        else array(select l.place::text from retoma_internal.json_list(p_given) as l order by l.place)
      end as given
  ) as v;
end;

comment on function retoma_internal.body_mismatch(jsonb, jsonb, boolean) is
'Why the body of a content does not fit a template, in words; null when it does. p_component: BODY of the template, or
null; p_given: body of the content, a list or an object of texts, or null; p_named: whether the variables of the
template have names.';
