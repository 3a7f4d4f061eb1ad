-- Null when this batch may reserve now; else the reason, in words for the audit. A closed window or an operator ends the lease.
create or replace function retoma.why_not_send(p_batch retoma.batch, p_now timestamptz) returns text
language sql volatile
begin atomic
  select case
    when c.status <> 'running' then 'campaign ' || c.status
    when not h.connected or h.paused then 'channel ' || retoma.channel_state(h.connected, h.paused)
    when not retoma.window_is_open(c.id, (p_batch).zone, p_now) then 'window closed'
  end
  from retoma.campaign as c, retoma.channel as h
  where c.id = (p_batch).campaign_id and h.id = (p_batch).lease_channel_id;
end;

comment on function retoma.why_not_send(retoma.batch, timestamptz) is 'Why a leased batch may not reserve now; null when it may.';
