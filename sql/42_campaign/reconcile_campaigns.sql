-- When a channel changes while one of its campaigns begins to run, neither transaction sees the other, and the two
-- states disagree after both commits. This function corrects that. Locks the campaigns, and skips those that another
-- transaction is changing.
create or replace function retoma_internal.reconcile_campaigns(p_ids bigint[] default null) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[] := array(
    select c.id from retoma_internal.campaign as c
    where (c.status = 'running' or c.interrupt_cause = 'channel')
      and (p_ids is null or c.id = any(p_ids))
      and (c.status = 'running') <> exists(
        select from retoma_internal.campaign_channel as cc
        inner join retoma_internal.channel as h on cc.channel_id = h.id
        where cc.campaign_id = c.id and h.connected and not h.paused
      )
      -- A template that cannot be sent interrupts a campaign, too. Asked last, because it costs more.
      and case when c.status = 'running' then true else retoma_internal.why_no_channel(c.id) is null end
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
one of the channels can send again. p_ids: only these; null: all. Returns how many.';
