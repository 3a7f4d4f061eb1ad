-- The steps of many channels with gaps in one transaction: a commit for each made the disk their limit, at two a message.
-- Locks all the batches in the order of their ids, then the pacing of all their channels, and goes on by campaign: the order of locks
-- of install.sql. An error may lock channels before campaigns, and channels without gaps share their pacing with other leases: such
-- steps are refused, and travel alone.
create or replace function retoma.advance_batches(
  p_steps jsonb,
  out place int,
  out action text,
  out wait_s double precision,
  out reserved int,
  out messages json
) returns setof record
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set enable_seqscan to off
set jit to off
as $$
declare
  v_ids bigint[] := array(select (s.step ->> 0)::bigint from jsonb_array_elements(p_steps) as s (step));
  v_step record;
begin
  if p_steps @? '$[*][2][*] ? (@.status == "error")' then
    raise exception using errcode = 'RT003',
      message = 'an outcome that is an error cannot be recorded together with the steps of other batches',
      hint = 'Call retoma.advance_batch for it';
  end if;
  perform from retoma.batch as b where b.id = any(v_ids) order by b.id for no key update;
  perform from retoma.channel_pacing as p
  where p.channel_id = any(array(select b.lease_channel_id from retoma.batch as b where b.id = any(v_ids))) and p.gap_max > '0 s'
  order by p.channel_id
  for update;
  for v_step in
    select
      s.place, b.id, (s.step ->> 1)::int as lease_epoch, s.step -> 2 as outcomes, (s.step ->> 3)::int as want, (s.step ->> 4)::int as seen
    from jsonb_array_elements(p_steps) with ordinality as s (step, place)
    left join retoma.batch as b on b.id = (s.step ->> 0)::bigint
    order by b.campaign_id, b.id
  loop
    place := v_step.place;
    select a.action, a.wait_s, a.reserved, a.messages into action, wait_s, reserved, messages
    from retoma.advance_batch(v_step.id, v_step.lease_epoch, v_step.outcomes, v_step.want, v_step.seen) as a;
    return next;
  end loop;
end;
$$;

comment on function retoma.advance_batches(jsonb) is
'For runners: advance_batch for many batches of channels with gaps, in one transaction. p_steps: an array of the arguments of each,
[[batch_id, lease_epoch, outcomes, want, seen], …]. Returns the reply of each with its place in p_steps, from 1. One that is refused
(RT010) refuses all: make each call alone then. Error RT003 also when an outcome is an error.';
