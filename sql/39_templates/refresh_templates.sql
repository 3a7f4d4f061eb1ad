create or replace function retoma.refresh_templates(p_channel text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_channel_id int;
begin
  v_channel_id := (retoma_internal.find_channel(p_channel)).id;
  update retoma_internal.template_reading as r set next_at = least(r.next_at, retoma.clock())
  where r.channel_id = v_channel_id;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.refresh_templates(text) is
'A live runner asks the provider for the templates of this channel within half a minute, instead of when 10 minutes are
over. Error RT001: unknown channel.';
