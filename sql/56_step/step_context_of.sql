-- One statement, because this is most of what a step reads. Takes no lock. The batch is already locked, so campaign and
-- channel are read as they were committed before. PostgreSQL inlines this function into its caller, because it is
-- stable and sets no parameters.
--
-- A lease that has been over for as long as it lasts does not count among those of its channel any more, see
-- channels_that_can_lease. So it reserves nothing more.
create or replace function retoma_internal.step_context_of(p_batch retoma_internal.batch)
returns setof retoma_internal.step_context
language sql stable
begin atomic
  select
    t.at, s.lease_duration, c.token,
    case
      when c.status <> 'running' then 'campaign_' || c.status
      when not h.connected or h.paused then 'channel_' || retoma_internal.channel_state(h)
      when cc.fault is not null then 'template_refused'
      when (p_batch).zone <> '' and not retoma_internal.window_is_open(c.id, (p_batch).zone, t.at) then 'window_closed'
      when (p_batch).lease_expires_at <= t.at - s.lease_duration then 'lease_overdue'
    end,
    p,
    c.variant_bounds,
    c.resolves_addresses
  from retoma.setting as s
  cross join lateral (select retoma.clock() as at) as t
  inner join retoma_internal.campaign as c on c.id = (p_batch).campaign_id
  inner join retoma_internal.channel as h on h.id = (p_batch).lease_channel_id
  inner join retoma_internal.campaign_channel as cc on cc.campaign_id = c.id and cc.channel_id = h.id
  inner join retoma_internal.channel_pacing as p on p.channel_id = h.id;
end;

comment on function retoma_internal.step_context_of(retoma_internal.batch) is
'The context for the next step of a leased batch: one row.';
