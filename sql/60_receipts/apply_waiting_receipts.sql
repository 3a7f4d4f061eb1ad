create or replace function retoma_internal.apply_waiting_receipts() returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_waiting retoma_internal.receipt_inbox[] := array(select i from retoma_internal.receipt_inbox as i order by i.id);
  v_applied bigint[];
begin
  if v_waiting = '{}' then
    return 0;
  end if;
  v_applied := retoma_internal.apply_receipts(v_waiting);
  delete from retoma_internal.receipt_inbox as i
  where i.id = any(array(select v_waiting[u.place].id from unnest(v_applied) as u (place)));
  return cardinality(v_applied);
end;
$$;

comment on function retoma_internal.apply_waiting_receipts() is
'Applies those receipts of the inbox whose message now has a recorded outcome. Returns how many.';
