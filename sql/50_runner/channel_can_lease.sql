-- A lease that could not reserve for longer than half of it would only have to be given back.
create or replace function retoma.channel_can_lease(p_channel_id int, p_now timestamptz) returns boolean
language sql stable
begin atomic
  select c.connected and not c.paused and p.hold_until <= p_now
    and p.next_send_at <= p_now + (select s.lease_duration / 2 from retoma.setting as s)
    and c.max_leases > (
      select count(*) from retoma.batch as b where b.status = 'leased' and b.lease_channel_id = p_channel_id
    )
  from retoma.channel as c
  inner join retoma.channel_pacing as p on c.id = p.channel_id
  where c.id = p_channel_id;
end;

comment on function retoma.channel_can_lease(int, timestamptz) is
'Whether a channel is connected, not held, due soon, and has a lease to spare.';
