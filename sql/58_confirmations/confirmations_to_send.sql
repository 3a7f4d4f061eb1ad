-- The turn of the channel is kept for a minute, so a send may not take longer.
-- A row is committed as "sending" before the runner gets it, and is never given out again: at most one answer, whatever
-- dies. Waits for no lock, so a session that was left open holds up one channel, not the others.
create or replace function retoma.confirmations_to_send(
  p_runner_id uuid,
  out confirmation_id bigint,
  out message_id text,
  out phone text,
  out content jsonb,
  out send_s double precision,
  out channel_id int,
  out channel text,
  out transport text,
  out settings jsonb
) returns setof record
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_now timestamptz := retoma.clock();
  v_channel_id int;
  v_id bigint;
begin
  perform retoma_internal.insist_on_read_committed();
  perform retoma_internal.insist_on_durability();
  perform retoma_internal.settle_confirmations(v_now);
  for v_channel_id in
    select h.id
    from retoma_internal.confirmation as c
    inner join retoma_internal.channel as h on c.channel_id = h.id
    where c.state = 'pending' and h.connected and not h.paused and not exists (
      select from retoma_internal.channel_refusal as f where f.channel_id = h.id and f.runner_id = p_runner_id
    )
    group by h.id
    order by min(c.requested_at), h.id
  loop
    v_id := retoma_internal.claim_confirmation(v_channel_id, v_now);
    exit when v_id is not null;
  end loop;
  return query
    select
      c.id, c.message_id, c.phone, jsonb_build_object('kind', 'text', 'text', h.settings ->> 'opt_out_confirmation'),
      extract(epoch from least(s.lease_duration, '1 minute'))::double precision, h.id, h.name, h.transport, h.settings
    from retoma_internal.confirmation as c
    inner join retoma_internal.channel as h on c.channel_id = h.id
    cross join retoma.setting as s
    where c.id = v_id;
end;
$$;

comment on function retoma.confirmations_to_send(uuid) is
'For runners: one confirmation of an opt-out that has to be sent now, with what a transport needs for it; no row when
there is none. It is given out once: send it once, begin within half of send_s seconds, and say what came of it within
send_s, see record_confirmation. p_runner_id: channels that it has refused are left to others.';
