-- Gives back all leases of the runner at once: one by one over a few connections takes seconds when it has hundreds of channels.
-- Locks its batches in the order of their ids, then the pacing of their channels, then campaigns.
create or replace function retoma.unregister_runner(p_runner_id uuid) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids bigint[];
  v_channel_ids int[];
begin
  perform retoma.insist_on_durability();
  update retoma.runner as r set stopped_at = retoma.clock() where r.id = p_runner_id;
  select coalesce(array_agg(b.id order by b.id), '{}'), coalesce(array_agg(b.lease_channel_id), '{}')
  into v_ids, v_channel_ids
  from retoma.batch as b
  where b.status = 'leased' and b.runner_id = p_runner_id;
  perform retoma.end_lease(u.id, 'released') from unnest(v_ids) with ordinality as u (id, place) order by u.place;
  perform retoma.complete_batches(v_ids);
  perform retoma.ring(v_channel_ids);
end;
$$;

comment on function retoma.unregister_runner(uuid) is
'The runner stops and gives back all that it has leased. Record outcomes first: what is reserved without one becomes in doubt (or is
sent again, on a channel that dedupes).';
