-- Locks the campaigns in the order of their ids, and skips those that another transaction is changing.
create or replace function retoma_internal.finish_cancelling() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[] := array(
    select c.id from retoma_internal.campaign as c
    where c.cancelling
    order by c.id
    for no key update skip locked
  );
begin
  perform retoma_internal.cancel_batches(u.id) from unnest(v_ids) as u (id);
end;
$$;

comment on function retoma_internal.finish_cancelling() is
'Ends the batches that were leased, or in use by another transaction, when their campaign was cancelled.';
