-- A long list is loaded in one transaction, and an analyze during the load sees no row. The planner then takes the
-- partition for empty, where every index looks equally good, and each step would read the whole campaign until the next
-- analyze. Does nothing while another session is analysing the partition.
create or replace function retoma_internal.refresh_statistics(p_campaign retoma_internal.campaign) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_partition regclass := (
    select m.tableoid from retoma_internal.message as m where m.campaign_id = p_campaign.id limit 1
  );
begin
  -- Below 0: never analysed. Then the planner uses the size of the table, which is right.
  if (select c.reltuples from pg_class as c where c.oid = v_partition) between 0 and p_campaign.total / 2 then
    execute format('analyze (skip_locked) %s', v_partition);
  end if;
end;
$$;

comment on function retoma_internal.refresh_statistics(retoma_internal.campaign) is
'Analyses the partition of a loaded campaign, when the planner assumes that it holds at most half as many rows as the
campaign.';
