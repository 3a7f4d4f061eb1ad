create or replace function retoma.refresh_templates(p_channel text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_channel_id int := (retoma_internal.find_channel(p_channel)).id;
begin
  update retoma_internal.template_reading as r set next_at = least(r.next_at, retoma.clock())
  where r.channel_id = v_channel_id;
end;
$$;

comment on function retoma.refresh_templates(text) is
'A live runner asks the provider for the templates of this channel within half a minute, instead of when 10 minutes are
over. Error RT001: unknown channel.';
