-- All that a step has to know besides its batch, in one statement: it is most of what a step reads. No locks: campaign
-- and channel are read after the batch is locked, so the step sees what was committed before. PostgreSQL inlines it
-- into its caller, as it is stable and sets no parameters.
create or replace function retoma_internal.step_facts(p_batch retoma_internal.batch)
returns table (
  at timestamptz,
  lease interval,
  token text,
  why_not text,
  pacing retoma_internal.channel_pacing,
  has_cap boolean
)
language sql stable
begin atomic
  select
    t.at, s.lease_duration, c.token,
    case
      when c.status <> 'running' then 'campaign ' || c.status
      when not h.connected or h.paused then 'channel ' || retoma_internal.channel_state(h.connected, h.paused)
      when (p_batch).zone <> '' and not retoma_internal.window_is_open(c.id, (p_batch).zone, t.at) then 'window closed'
    end,
    p,
    exists(select from retoma_internal.campaign_rule as r where r.campaign_id = c.id and r.kind = 'daily_cap')
  from retoma.setting as s
  cross join lateral (select retoma.clock() as at) as t
  inner join retoma_internal.campaign as c on c.id = (p_batch).campaign_id
  inner join retoma_internal.channel as h on h.id = (p_batch).lease_channel_id
  inner join retoma_internal.channel_pacing as p on p.channel_id = h.id;
end;

comment on function retoma_internal.step_facts(retoma_internal.batch) is
'For a leased batch: the time, how long a lease lasts, the token of message ids, why it may not reserve now (null when
it may; a closed window or an operator ends the lease), the pacing of its channel as it was before it is locked, and
whether its campaign has a daily cap.';
