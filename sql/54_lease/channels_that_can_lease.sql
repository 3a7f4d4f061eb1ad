-- A channel must be due within half a lease. A lease that must wait longer would only be given back. Times that lie too
-- far ahead are set back by the first step, see set_pacing_back. Returns a set from
-- one statement, so that it becomes a part of the calling query: one call for each of 5,000 channels took half of every
-- tick. A lease that is still there long after it expired could not be ended, because a session that was left open has
-- locked its batch, or an error stops it (see v_tick_failure). The other campaigns of the channel do not wait for it.
create or replace function retoma_internal.channels_that_can_lease(p_now timestamptz) returns setof int
language sql stable
begin atomic
  select c.id
  from retoma_internal.channel as c
  inner join retoma_internal.channel_pacing as p on c.id = p.channel_id
  where c.connected and not c.paused and p.hold_until <= p_now
    and (
      p.next_send_at <= p_now + (select s.lease_duration / 2 from retoma.setting as s)
      or p.next_send_at > retoma_internal.latest_send(p, p_now) + '1 minute'
    )
    and not exists (
      select from retoma_internal.limit_rule as l
      where l.scope = 'channel' and l.subject_id = c.id and l.exhausted_until > p_now
    )
    and not exists (
      select from retoma_internal.limit_rule as l
      where l.scope = 'channel_group' and l.subject_id = c.channel_group_id and l.exhausted_until > p_now
    )
    and c.max_leases > (
      select count(*) from retoma_internal.batch as b where b.status = 'leased' and b.lease_channel_id = c.id
        and b.lease_expires_at > p_now - (select s.lease_duration from retoma.setting as s)
    );
end;

comment on function retoma_internal.channels_that_can_lease(timestamptz) is
'Ids of the channels that are connected, not paused, not held, within their limits and due soon, and that allow another
lease.';
