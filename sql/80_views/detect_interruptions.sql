-- The row of a campaign says when its channels, its content or a breaker interrupted it. When no runner is alive, no
-- process can record that, so this function finds it at each call.
create or replace function retoma_internal.detect_interruptions(
  out campaign_id int, out cause text, out reason text, out since timestamptz
) returns setof record
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic
  select
    c.id,
    coalesce(c.interrupt_cause, 'no_runner'),
    coalesce(c.status_reason, 'no runner is alive: start one with "retoma runner"'),
    case
      when c.status = 'interrupted' then (
        -- The last one is found at the end of the index. Its oldest events would take one read per batch.
        select e.at from retoma_internal.event as e
        where e.campaign_id = c.id and e.subject = 'campaign' and e.to_state = 'interrupted'
        order by e.id desc
        limit 1
      )
      else (select greatest(max(r.last_seen_at), c.started_at) from retoma_internal.runner as r)
    end
  from retoma_internal.campaign as c
  where c.status = 'interrupted'
    or (c.status = 'running' and not exists (select from retoma_internal.live_runners()));
end;

comment on function retoma_internal.detect_interruptions() is
'Campaigns that should be running but cannot. cause: channel, content, breaker or no_runner; reason: in words; since:
when it began.';
