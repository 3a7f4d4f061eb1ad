-- Locks only the new row. The channel stays connected: other runners may have what this one lacks.
create or replace function retoma.refuse_channel(p_runner_id uuid, p_channel_id int, p_reason text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
begin
  insert into retoma_internal.channel_refusal (channel_id, runner_id, reason)
  select c.id, r.id, left(coalesce(nullif(p_reason, ''), 'refused'), 500)
  from retoma_internal.channel as c
  cross join retoma_internal.runner as r
  where c.id = p_channel_id and r.id = p_runner_id
  on conflict do nothing;
end;
$$;

comment on function retoma.refuse_channel(uuid, int, text) is
'For runners: this process cannot use the settings of the channel, for example because a variable of its environment is
not set. It gets no lease of the channel until configure_channel changes it; other runners do. v_runner shows p_reason.
When no live runner can use any channel of a campaign, the campaign shows as interrupted, cause no_runner. No effect for
an unknown runner or channel.';
