-- A channel that changes while one of its campaigns begins to run does not see it, and that campaign did not see the change: whoever commits
-- last leaves them apart. Here they are brought together. Locks the campaigns, passing over those that somebody is changing.
create or replace function retoma.match_campaigns() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ids int[] := array(
    select c.id from retoma.campaign as c
    where (c.status = 'running' or c.interrupt_cause = 'channel')
      and (c.status = 'running') <> exists(
        select from retoma.campaign_channel as cc
        inner join retoma.channel as h on cc.channel_id = h.id
        where cc.campaign_id = c.id and h.connected and not h.paused
      )
    order by c.id
    for no key update skip locked
  );
begin
  perform retoma.match_channels(u.id) from unnest(v_ids) as u (id);
end;
$$;

comment on function retoma.match_campaigns() is
'Interrupts the running campaigns that have no channel to send, and resumes those that were interrupted by a channel that can.';
