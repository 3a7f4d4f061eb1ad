create or replace view retoma.v_waiting_campaigns as
select s.campaign_id, s.campaign, w.cause, retoma_internal.mask_text(w.reason) as reason, w.waits_until, s.channels,
  s.pending, s.sending
from retoma_internal.campaign_waits() as w
inner join retoma.v_campaign_summary as s on w.campaign_id = s.campaign_id
where s.status = 'running';

comment on view retoma.v_waiting_campaigns is
'Running campaigns that send nothing now, or less than they could: what they wait for, and until when (null: nothing
tells). cause: content (not checked yet), numbers (being checked), runner (it does not report), limit, window, retry,
pacing, rate_limit, channel (one of them is not connected, or paused), lock (a session that was left open in a
transaction keeps a channel or the batches locked: see v_open_transaction) or turn (its channels are sending other
campaigns).';
