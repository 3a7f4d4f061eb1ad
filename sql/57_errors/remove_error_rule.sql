-- A function, because a role that has DELETE on a table can also lock it, and every error reads this table. Locks the
-- rule.
create or replace function retoma.remove_error_rule(p_transport text, p_code text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
begin
  delete from retoma.error_rule as r where r.transport = p_transport and r.code = p_code;
  if not found then
    raise exception using errcode = 'RT001', constraint = 'unknown_rule',
      message = format('there is no rule for the error %L of %L', p_code, p_transport),
      hint = 'select transport, code from retoma.error_rule';
  end if;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.remove_error_rule(text, text) is
'Removes a row of error_rule. From then on the rule for all transports (*) counts for this code; without one, the error
is ambiguous when the request may have been written, else transient. Error RT001: no such rule.';
