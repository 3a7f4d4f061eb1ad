-- Rows that other rows rely on are not removed. A batch counts its messages, and a step finds its channel, its pacing
-- and the setting by joins. Only cleanup() erases, see erase_campaigns. The row triggers of message and delivery hold
-- for their partitions too; a truncate of one partition is refused by a trigger that ensure_partition creates.
create or replace function retoma_internal.keep() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'RT011', constraint = 'kept',
    message = format('rows of %s.%s cannot be removed', tg_table_schema, tg_table_name),
    hint = 'Campaigns end with retoma.cancel_campaign(name); retoma.cleanup() erases them after setting.retention';
end;
$$;

comment on function retoma_internal.keep() is 'Trigger: refuses to remove rows that others rely on (RT011).';

do $$
declare
  v_table text;
begin
  foreach v_table in array array[
    'retoma.setting', 'retoma_internal.message', 'retoma_internal.delivery', 'retoma_internal.batch',
    'retoma_internal.batch_list', 'retoma_internal.campaign', 'retoma_internal.campaign_content',
    'retoma_internal.campaign_channel', 'retoma_internal.campaign_zone', 'retoma_internal.channel',
    'retoma_internal.channel_pacing', 'retoma_internal.turn'
  ] loop
    execute format(
      'create or replace trigger keep before delete on %s for each row '
      || 'when (coalesce(current_setting(''retoma_internal.erasing'', true), '''') <> ''yes'') '
      || 'execute function retoma_internal.keep()', v_table
    );
    execute format(
      'create or replace trigger keep_all before truncate on %s for each statement '
      || 'execute function retoma_internal.keep()', v_table
    );
  end loop;
end;
$$;
