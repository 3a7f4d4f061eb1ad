-- Leases for many channels in one transaction, for a runner that begins with thousands. Locks the pacing of the channels in the order of
-- their ids, and with each the batch that it leases, for which nobody waits (skip locked).
create or replace function retoma.lease_batches(
  p_runner_id uuid, p_channel_ids int[], out place int, out lease json
) returns setof record
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_channel record;
begin
  for v_channel in
    select u.id, u.place from unnest(p_channel_ids) with ordinality as u (id, place) order by u.id
  loop
    place := v_channel.place;
    select to_json(l) into lease from retoma.lease_batch(p_runner_id, v_channel.id) as l;
    return next;
  end loop;
end;
$$;

comment on function retoma.lease_batches(uuid, int[]) is
'For runners: lease_batch for many channels, in one transaction. Returns the reply of each with its place in p_channel_ids, from 1.
Error RT001: the runner is not registered.';
