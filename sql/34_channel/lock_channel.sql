-- Locks the channel. The caller then sees the latest committed state, and changes the channel only when its state is
-- another.
create or replace function retoma_internal.lock_channel(p_name text) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_id int := (retoma_internal.find_channel(p_name)).id;
begin
  perform from retoma_internal.channel as c where c.id = v_id for no key update;
  return v_id;
end;
$$;

comment on function retoma_internal.lock_channel(text) is
'The id of the channel of this name, locked. Error RT001 when there is none.';
