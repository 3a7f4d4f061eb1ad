-- Times in a pacing row that cannot come from a clock that only goes forward. Without this, the channel would stand
-- still until the clock is where it was. A minute is more than two sessions can differ by, and passes by itself. The
-- caller has locked the row.
create or replace function retoma_internal.set_pacing_back(
  p_pacing retoma_internal.channel_pacing, p_now timestamptz
) returns retoma_internal.channel_pacing
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_p retoma_internal.channel_pacing := p_pacing;
begin
  if greatest(v_p.tokens_at, v_p.throttled_at) <= p_now + '1 minute'
    and v_p.next_send_at <= retoma_internal.latest_send(v_p, p_now) + '1 minute'
  then
    return v_p;
  end if;
  v_p.tokens_at := least(v_p.tokens_at, p_now);
  v_p.throttled_at := least(v_p.throttled_at, p_now);
  v_p.next_send_at := least(v_p.next_send_at, retoma_internal.latest_send(v_p, p_now));
  update retoma_internal.channel_pacing as p
  set
    tokens_at = v_p.tokens_at, throttled_at = v_p.throttled_at, next_send_at = v_p.next_send_at
  where p.channel_id = v_p.channel_id;
  insert into retoma_internal.event (subject, channel_id, from_state, to_state, code, why)
  select 'channel', c.id, s, s, 'pacing_set_back', format(
    'the next message waited until %s, longer than the pacing of the channel allows: the clock of the database went '
    'back, or its gaps were made shorter',
    greatest(p_pacing.next_send_at, p_pacing.tokens_at)
  )
  from retoma_internal.channel as c cross join lateral retoma_internal.channel_state(c) as s
  where c.id = v_p.channel_id;
  return v_p;
end;
$$;

comment on function retoma_internal.set_pacing_back(retoma_internal.channel_pacing, timestamptz) is
'The pacing row of a channel, with all times that lie too far ahead of p_now set back, and an event that says so. A
hold is not changed: resume_channel ends it.';
