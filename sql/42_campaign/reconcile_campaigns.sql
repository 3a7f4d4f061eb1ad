-- When a channel or its templates change while one of its campaigns begins to run, neither transaction sees the other,
-- and the two states disagree after both commits. This function corrects that, and what reconcile_channel passed over.
-- It reads rows only: with a function call for each interrupted campaign, 1,000 of them took 200 ms of every tick.
-- Locks the campaigns, and skips those that another transaction is changing.
create or replace function retoma_internal.reconcile_campaigns(p_ids bigint[] default null) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[] := array(
    select c.id from retoma_internal.campaign as c
    where (c.status = 'running' or c.interrupt_cause = 'channel')
      and (p_ids is null or c.id = any(p_ids))
      and (
        (c.status = 'running') <> exists(
          select from retoma_internal.campaign_channel as cc
          inner join retoma_internal.channel as h on cc.channel_id = h.id
          where cc.campaign_id = c.id and h.connected and not h.paused and cc.fault is null
        )
        or exists(
          select from retoma_internal.campaign_channel as cc
          inner join retoma_internal.reading as r on cc.channel_id = r.channel_id and r.about = 'templates'
          inner join retoma_internal.campaign_content as t on cc.campaign_id = t.campaign_id and t.variant = 1
          where cc.campaign_id = c.id and cc.judged <> r.changes and t.content ->> 'kind' = 'template'
        )
      )
    order by c.id
    for no key update skip locked
  );
begin
  perform retoma_internal.reconcile_campaign(u.id) from unnest(v_ids) as u (id);
  return cardinality(v_ids);
end;
$$;

comment on function retoma_internal.reconcile_campaigns(bigint[]) is
'Interrupts running campaigns without a channel that can send. Resumes campaigns that their channels interrupted, when
one of the channels can send again. Judges the templates of a campaign by the newest list. p_ids: only these; null: all.
Returns how many.';
