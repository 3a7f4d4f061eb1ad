-- The end of the snapshot is the transaction behind the last one that has ended, so one that is not before it has not
-- ended. Of an earlier one PostgreSQL knows it, for a subtransaction too; it asks for 64 bits, and xid is half of them.
create or replace function retoma_internal.is_in_progress(p_xid xid) returns boolean
language sql volatile
begin atomic
  select case
    when low.xid < 3 or s.until + d.ahead < 3 then false
    when d.ahead >= 0 then true
    else coalesce(pg_xact_status((s.until + d.ahead)::text::xid8) = 'in progress', false)
  end
  from (select p_xid::text::bigint as xid) as low
  cross join (select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as until) as s
  cross join lateral (
    select ((low.xid - s.until + 2147483648) & 4294967295) - 2147483648 as ahead
  ) as d;
end;

comment on function retoma_internal.is_in_progress(xid) is
'Whether this transaction has not ended yet; false for 0, and for one that is long over.';
