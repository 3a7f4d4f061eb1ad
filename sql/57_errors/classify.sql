-- The rule of the transport comes first, then the rule for all transports. Without both, one fact decides: whether the
-- runner may have written the request.
create or replace function retoma_internal.classify(
  p_transport text, p_code text, p_written boolean
) returns retoma.error_rule
language sql stable
begin atomic
  select r.rule
  from (
    select e as rule, (e.transport = '*')::int as preference
    from retoma.error_rule as e
    where e.transport in (p_transport, '*') and e.code = p_code
    union all
    select row(
      '*', p_code, case when coalesce(p_written, true) then 'ambiguous' else 'transient' end, false, true, null, null
    )::retoma.error_rule, 2
  ) as r
  order by r.preference
  limit 1;
end;

comment on function retoma_internal.classify(text, text, boolean) is
'The rule for an error. Without a rule: ambiguous when the request may have been written (p_written; null counts as
true), else transient.';
