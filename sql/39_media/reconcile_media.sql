-- Locks the campaigns in the order of their ids.
create or replace function retoma_internal.reconcile_media(p_channel_id int, p_sha256 bytea) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[] := array(
    select c.id
    from retoma_internal.campaign as c
    where (c.status = 'running' or c.interrupt_cause = 'channel')
      and c.id in (select m.campaign_id from retoma_internal.campaign_medium as m where m.sha256 = p_sha256)
      and c.id in (
        select cc.campaign_id from retoma_internal.campaign_channel as cc where cc.channel_id = p_channel_id
      )
    order by c.id
    for no key update of c
  );
begin
  perform retoma_internal.reconcile_campaign(u.id) from unnest(v_ids) as u (id);
  perform retoma_internal.ring_campaign(c.id)
  from retoma_internal.campaign as c
  where c.id = any(v_ids) and c.status = 'running';
end;
$$;

comment on function retoma_internal.reconcile_media(int, bytea) is
'Interrupts, resumes or rings those campaigns of a channel that say a stored file, by what is known of it now.';
