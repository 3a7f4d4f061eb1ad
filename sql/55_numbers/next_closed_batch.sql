-- As batches are leased: the campaign that waited longest comes first. A batch that another channel is asking for comes
-- last.
create or replace function retoma_internal.next_closed_batch(p_channel_id int, p_except bigint[]) returns bigint
language sql stable
begin atomic
  select z.batch_id
  from retoma_internal.number_checker as k
  inner join retoma_internal.closed_zone as z on k.campaign_id = z.campaign_id
  where k.channel_id = p_channel_id and k.checks and k.works and z.batch_id <> all(p_except)
  order by
    z.runs desc,
    exists (
      select from retoma_internal.number_checking as q
      where q.batch_id = z.batch_id and q.channel_id <> p_channel_id and q.next_at > retoma.clock()
    ) asc,
    (z.zone = '' or retoma_internal.window_is_open(z.campaign_id, z.zone, retoma.clock())) desc,
    k.last_leased_at asc, z.campaign_id asc, z.zone asc
  limit 1;
end;

comment on function retoma_internal.next_closed_batch(int, bigint[]) is
'The batch whose numbers the provider of a channel is asked about next; null when there is none but p_except.';
