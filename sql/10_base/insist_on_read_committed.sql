-- The functions of Retoma lock rows, and decide by what is committed then. A transaction that keeps one snapshot would
-- show them the state before the lock. Whoever names a campaign, a channel or a number comes through here. Takes no
-- lock.
create or replace function retoma_internal.insist_on_read_committed() returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    raise exception using errcode = 'RT002', constraint = 'wrong_isolation',
      message = format(
        'this transaction is %s, and Retoma decides by what is committed now', current_setting('transaction_isolation')
      ),
      hint = 'Begin it with "begin isolation level read committed"; for all of them in this session: '
        || 'set default_transaction_isolation to ''read committed''';
  end if;
end;
$$;

comment on function retoma_internal.insist_on_read_committed() is
'Refuses a transaction that would work on an old snapshot. Error RT002: it is repeatable read or serializable.';
