-- BEFORE UPDATE. The audit and the message ids of a channel refer to its id, name and transport. Its reason can come
-- from a provider, and events and views repeat it.
create or replace function retoma_internal.channel_guard() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if (new.id, new.name, new.transport) is distinct from (old.id, old.name, old.transport) then
    raise exception using errcode = 'RT002', constraint = 'channel_fixed',
      message = format('channel %L cannot change its id, name or transport', old.name),
      hint = 'Its audit and its messages refer to them: create a new channel instead';
  end if;
  new.state_reason := left(new.state_reason, 500);
  return new;
end;
$$;

comment on function retoma_internal.channel_guard() is
'Trigger: refuses to change the id, name or transport of a channel (RT002), and shortens its reason to 500 characters.';

create or replace trigger channel_guard before update on retoma_internal.channel
for each row execute function retoma_internal.channel_guard();
