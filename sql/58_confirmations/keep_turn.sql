-- The caller has locked the pacing row. It is called again every few seconds, for as long as a confirmation waits.
create or replace function retoma_internal.keep_turn(
  p_channel_id int, p_now timestamptz, p_for interval
) returns void
language sql volatile
begin atomic
  update retoma_internal.channel_pacing as p
  set turn_kept_until = p_now + p_for
  where p.channel_id = p_channel_id and greatest(p.next_send_at, p.hold_until) < p_now + p_for
    and p.turn_kept_until not between p_now + p_for and p_now + interval '1 minute';
end;

comment on function retoma_internal.keep_turn(int, timestamptz, interval) is
'Steps leave the next turn of a channel to a confirmation, if that turn comes within p_for, up to a minute.';
