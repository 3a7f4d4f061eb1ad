-- Locks the campaigns in the order of their ids. Passes over those that another transaction is changing: a session
-- that was left open must not undo what is recorded. The caller raises reading.changes, so a tick judges the
-- others.
create or replace function retoma_internal.reconcile_channel(p_channel_id int) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[] := array(
    select c.id
    from retoma_internal.campaign as c
    where (c.status = 'running' or c.interrupt_cause = 'channel')
      and retoma_internal.content_kind(c.id) = 'template'
      and c.id in (
        select cc.campaign_id from retoma_internal.campaign_channel as cc where cc.channel_id = p_channel_id
      )
    order by c.id
    for no key update of c skip locked
  );
begin
  perform retoma_internal.reconcile_campaign(u.id) from unnest(v_ids) as u (id);
end;
$$;

comment on function retoma_internal.reconcile_channel(int) is
'Interrupts or resumes those campaigns of a channel that say a template, by what is known of the template now.';
