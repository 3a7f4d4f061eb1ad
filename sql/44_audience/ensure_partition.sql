-- A partition holds the campaigns of one block of 100 ids. So there are few enough tables for tens of thousands of
-- small campaigns, and the retention can still drop a partition instead of deleting rows. A partition is created apart
-- and then attached, which does not block readers or writers of the other partitions (a plain "create table … partition
-- of" would). The lock of a row of turn makes the first two campaigns of a block take turns.
--
-- There are no statistics of campaign_id, because they never know the newest campaign. The planner would take it for
-- empty, and could read all its messages to find one. See also refresh_statistics and known_phones.
create or replace function retoma_internal.ensure_partition(p_campaign_id int) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  c_block constant int := 100;
  v_from int := (p_campaign_id / c_block) * c_block;
  v_parent text;
begin
  if to_regclass(format('retoma_internal.%I', 'delivery_p' || v_from)) is not null then
    return;
  end if;
  perform from retoma_internal.turn as t where t.work = 'partition' for no key update;
  foreach v_parent in array array['message', 'delivery'] loop
    if to_regclass(format('retoma_internal.%I', v_parent || '_p' || v_from)) is null then
      execute format(
        'create table retoma_internal.%I (like retoma_internal.%I including defaults including constraints)',
        v_parent || '_p' || v_from, v_parent
      );
      execute format(
        'alter table retoma_internal.%I attach partition retoma_internal.%I for values from (%L) to (%L)',
        v_parent, v_parent || '_p' || v_from, v_from, v_from + c_block
      );
      execute format(
        'alter table retoma_internal.%I alter column campaign_id set statistics 0', v_parent || '_p' || v_from
      );
      execute format(
        'create trigger keep_all before truncate on retoma_internal.%I '
        || 'for each statement execute function retoma_internal.keep()', v_parent || '_p' || v_from
      );
    end if;
  end loop;
end;
$$;

comment on function retoma_internal.ensure_partition(int) is
'Creates the partitions of message and delivery for this campaign, unless they exist.';
