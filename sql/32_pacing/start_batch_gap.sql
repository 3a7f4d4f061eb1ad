create or replace function retoma_internal.start_batch_gap(p_channel_id int, p_now timestamptz) returns void
language sql volatile
begin atomic
  update retoma_internal.channel_pacing as p
  set next_send_at = greatest(
    p.next_send_at, p_now + retoma_internal.random_gap(p, p.batch_gap_min, p.batch_gap_max, p_now)
  )
  where p.channel_id = p_channel_id and p.batch_gap_max > '0 s';
end;

comment on function retoma_internal.start_batch_gap(int, timestamptz) is
'Starts the gap between batches of a channel at p_now.';
