-- The mechanism of all functions for operators: lock_timeout as an attribute, and a handler that calls this. A handler
-- costs a subtransaction per call, some microseconds; functions that runners call have none, and end in 55P03.
--
-- PostgreSQL does not say for which session a wait was given up. What these functions wait for is nearly always a
-- transaction that was left open, and the oldest one.
create or replace function retoma_internal.refuse_locked() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_holder text := retoma_internal.oldest_transaction();
begin
  raise exception using errcode = 'RT006', constraint = 'locked',
    message = coalesce(
      v_holder || ' keeps locked what this call needs',
      'another session kept locked what this call needs, and has ended since'
    ),
    hint = case
      when v_holder is null then 'Call again'
      else 'Let it commit or roll back, or end it as retoma.v_open_transaction shows; then call again'
    end;
end;
$$;

comment on function retoma_internal.refuse_locked() is
'Error RT006: after a wait for a lock was given up, says which session most likely holds it.';
