-- BEFORE UPDATE: what a channel may not become.
create or replace function retoma_internal.channel_guard() returns trigger
language plpgsql
set search_path to pg_catalog, pg_temp
as $$
begin
  if (new.id, new.name, new.transport) is distinct from (old.id, old.name, old.transport) then
    raise exception using errcode = 'RT002', constraint = 'channel_fixed',
      message = format('channel %L cannot change its id, name or transport', old.name),
      hint = 'Its audit and its message ids hang on them: make a new channel instead';
  end if;
  return new;
end;
$$;

comment on function retoma_internal.channel_guard() is 'Trigger: refuses a new identity for a channel (RT002).';

create or replace trigger channel_guard before update on retoma_internal.channel
for each row execute function retoma_internal.channel_guard();
