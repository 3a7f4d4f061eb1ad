-- The row of a campaign says when its channels, its content or a breaker interrupted it. When no runner is alive,
-- or those that are alive all refuse its channels, no process records that, so this function finds it at each call.
create or replace function retoma_internal.detect_interruptions(
  out campaign_id int, out cause text, out reason text, out since timestamptz
) returns setof record
language sql volatile security definer rows 10
set search_path to pg_catalog, pg_temp
set jit to off
begin atomic
  with alive as materialized (
    select r.id from retoma_internal.live_runners() as r (id)
  ),

  refused as materialized (
    select f.channel_id, min(f.reason) as reason
    from retoma_internal.channel_refusal as f
    inner join alive as a on f.runner_id = a.id
    group by f.channel_id
    having count(*) = (select count(*) from alive)
  )

  select
    c.id,
    coalesce(c.interrupt_cause, 'no_runner'),
    coalesce(
      c.status_reason,
      (
        select format('no live runner can use channel %s: %s', h.name, f.reason)
        from retoma_internal.campaign_channel as cc
        inner join refused as f on cc.channel_id = f.channel_id
        inner join retoma_internal.channel as h on cc.channel_id = h.id
        where cc.campaign_id = c.id
        order by h.name
        limit 1
      ),
      'no runner is alive: start one with "retoma runner"'
    ),
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
    or (c.status = 'running' and not exists (select from alive))
    or (c.status = 'running' and exists (select from refused) and not exists (
      select from retoma_internal.campaign_channel as cc
      inner join retoma_internal.channel as h on cc.channel_id = h.id
      where cc.campaign_id = c.id and h.connected and not h.paused and cc.fault is null
        and h.id <> all(array(select f.channel_id from refused as f))
    ));
end;

comment on function retoma_internal.detect_interruptions() is
'Campaigns that should be running but cannot. cause: channel, content, breaker, defect or no_runner; reason: in
words; since: when it began.';
