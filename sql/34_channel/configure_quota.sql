create or replace function retoma_internal.configure_quota(p_channel_id int, p_patch jsonb) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_zone text := retoma_internal.patch_text(p_patch, 'time_zone');
begin
  if p_patch ? 'daily_quota' then
    update retoma_internal.channel_pacing as p
    set daily_quota = retoma_internal.patch_int(p_patch, 'daily_quota', 1, 2147483647)
    where p.channel_id = p_channel_id;
  end if;
  if p_patch ? 'time_zone' then
    perform retoma_internal.check_time_zone(v_zone);
    update retoma_internal.channel as c set time_zone = coalesce(v_zone, 'UTC') where c.id = p_channel_id;
  end if;
end;
$$;

comment on function retoma_internal.configure_quota(int, jsonb) is
'Sets what a pacing patch says of the daily quota (null: none) and of the zone in which its day begins (null: UTC).';
