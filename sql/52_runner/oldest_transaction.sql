-- PostgreSQL does not tell for which session a wait for a lock was given up. It is nearly always a transaction that was
-- left open, and the oldest one.
create or replace function retoma_internal.oldest_transaction() returns text
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select format(
    '%s, with locks on %s', retoma_internal.session_in_words(h.pid, h.role, h.application, h.state, h.since),
    array_to_string(h.tables, ', ')
  )
  from retoma_internal.lock_holders() as h
  order by h.since nulls last, h.pid
  limit 1;
end;

comment on function retoma_internal.oldest_transaction() is
'In words: the session with the oldest open transaction that holds locks on tables of Retoma. Null when there is none.';
