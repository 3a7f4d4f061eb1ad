-- The rule of the transport; without one, the rule for all transports; without that, the one fact that matters: was
-- anything written?
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
'What an error means. Without a rule: ambiguous when the request may have been taken (p_written), else transient.';
