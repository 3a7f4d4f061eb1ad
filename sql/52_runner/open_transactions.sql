-- Statements of runners and receivers that are under way are no fault, however long they take: they wait themselves, or
-- clean up. PostgreSQL hides state and time of other roles' sessions from an owner without pg_read_all_stats; these are
-- shown. The age of a transaction is a fact about the server, so it is measured with the server's clock.
create or replace function retoma_internal.open_transactions(
  out pid int, out role name, out application text, out state text, out since timestamptz, out tables text[]
) returns setof record
language sql volatile security definer rows 10
set search_path to pg_catalog, pg_temp
begin atomic
  select h.pid, h.role, h.application, h.state, h.since, h.tables
  from retoma_internal.lock_holders() as h
  where case
    when h.state like 'idle in transaction%' then true
    when h.application in ('retoma runner', 'retoma receive') then false
    else coalesce(h.since < clock_timestamp() - interval '5 s', true)
  end;
end;

comment on function retoma_internal.open_transactions() is
'The other sessions that hold locks on tables of Retoma and are idle in a transaction, or in one for more than 5
seconds; not a statement of a runner or receiver.';
