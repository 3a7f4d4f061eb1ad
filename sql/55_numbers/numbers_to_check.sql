-- Batches whose numbers are all known, or that no provider could be asked about for a minute, are opened on the way.
-- next_at is never more than an hour ahead (check_gap_s), unless the clock went back: then it counts as passed.
--
-- Takes the turn of a channel by the lock of its row of number_checking. It passes over such rows and batches that
-- another transaction has locked: a session that was left open must not hold up other campaigns. When the runner that
-- has the turn dies, another one has it a minute later. A number that is asked about twice does no harm.
create or replace function retoma.numbers_to_check(
  p_runner_id uuid,
  out channel_id int,
  out channel text,
  out transport text,
  out settings jsonb,
  out asked_at timestamptz,
  out gap_s double precision,
  out phones text[]
) returns setof record
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_channel record;
  v_next record;
begin
  perform retoma_internal.insist_on_read_committed();
  asked_at := retoma.clock();
  perform retoma_internal.note_checkers(asked_at);
  perform retoma_internal.open_unasked(asked_at);
  for v_channel in
    select h.id, h.name, h.transport, h.settings, (h.settings ->> 'check_gap_s')::double precision as gap_s
    from retoma_internal.channel as h
    inner join retoma_internal.number_checking as q on h.id = q.channel_id
    where (q.next_at <= numbers_to_check.asked_at or q.next_at > numbers_to_check.asked_at + interval '1 hour')
      and h.id in (
        select k.channel_id
        from retoma_internal.closed_zone as z
        inner join retoma_internal.number_checker as k on z.campaign_id = k.campaign_id and k.checks and k.works
      )
      and not exists (
        select from retoma_internal.channel_refusal as f where (f.channel_id, f.runner_id) = (h.id, p_runner_id)
      )
    order by q.next_at, h.id
    limit 20
  loop
    perform from retoma_internal.number_checking as q
    where q.channel_id = v_channel.id
      and (q.next_at <= numbers_to_check.asked_at or q.next_at > numbers_to_check.asked_at + interval '1 hour')
    for no key update skip locked;
    continue when not found;
    v_next := retoma_internal.next_questions(v_channel.id);
    if v_next.batch_id is null then
      -- Another transaction has locked what is left of it. Twenty such channels must not keep the others waiting.
      update retoma_internal.number_checking as q set next_at = numbers_to_check.asked_at + interval '1 s'
      where q.channel_id = v_channel.id;
      continue;
    end if;
    gap_s := v_channel.gap_s;
    -- For about 10 seconds, so that a runner that dies leaves little unsaid.
    phones := v_next.phones[:least(50, greatest(1, floor(10 / greatest(gap_s, 0.1))))::int];
    update retoma_internal.number_checking as q
    set asked_at = numbers_to_check.asked_at, next_at = numbers_to_check.asked_at + interval '1 minute',
      batch_id = v_next.batch_id, known = v_next.known
    where q.channel_id = v_channel.id;
    channel_id := v_channel.id;
    channel := v_channel.name;
    transport := v_channel.transport;
    settings := v_channel.settings;
    return next;
  end loop;
end;
$$;

comment on function retoma.numbers_to_check(uuid) is
'For runners: one row per channel whose provider has to be asked now under which address numbers can be reached, with
what a transport needs for it. phones: ask about one after the other, with gap_s seconds between two of them, for 40
seconds at most. Answer with record_numbers, with the same asked_at. A channel that is not connected is not asked.
p_runner_id: channels that it has refused are left to others.';
