-- Locks the due campaigns in the order of their ids, and skips those that another transaction is changing.
create or replace function retoma_internal.start_due_campaigns(p_ids bigint[] default null) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[];
begin
  v_ids := array(
    select c.id from retoma_internal.campaign as c
    where c.status = 'scheduled' and c.starts_at <= retoma.clock()
      and (p_ids is null or c.id = any(p_ids))
    order by c.id
    for no key update skip locked
  );
  update retoma_internal.campaign as c set status = 'running' where c.id = any(v_ids);
  perform retoma_internal.reconcile_campaign(u.id) from unnest(v_ids) as u (id);
  return cardinality(v_ids);
end;
$$;

comment on function retoma_internal.start_due_campaigns(bigint[]) is
'Starts scheduled campaigns whose start time has come. p_ids: only these; null: all. Returns how many.';
