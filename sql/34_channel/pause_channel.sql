-- Locks what stop_channel locks.
create or replace function retoma.pause_channel(
  p_channel text, p_reason text default 'paused by the operator'
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
begin
  perform retoma_internal.stop_channel(p_channel, coalesce(p_reason, 'paused by the operator'));
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.pause_channel(text, text) is
'Reserves nothing more on this channel until resume_channel. A reconnect does not end the pause. p_reason: shown in
v_channel. No effect when it is already paused. Error RT001: unknown channel.';
