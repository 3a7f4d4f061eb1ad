-- AFTER INSERT OR UPDATE. Campaigns are locked in the order of their ids, and judged after the lock. Otherwise, when
-- two channels of one campaign go down at the same moment, each could rely on the other. A channel that comes back also
-- locks its running campaigns, because another channel can be interrupting them at this moment.
create or replace function retoma_internal.channel_changed() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_was_usable boolean := tg_op = 'UPDATE' and old.connected and not old.paused;
  v_is_usable boolean := new.connected and not new.paused;
  v_campaign_ids int[];
begin
  insert into retoma_internal.event (subject, channel_id, from_state, to_state, why)
  values (
    'channel', new.id,
    case when tg_op = 'UPDATE' then retoma_internal.channel_state(old) end,
    retoma_internal.channel_state(new),
    new.state_reason
  );
  if tg_op = 'INSERT' or v_was_usable = v_is_usable then
    return null;
  end if;
  v_campaign_ids := array(
    select c.id
    from retoma_internal.campaign_channel as cc
    inner join retoma_internal.campaign as c on cc.campaign_id = c.id
    where cc.channel_id = new.id
      and (c.status = 'running' or c.interrupt_cause = 'channel' and v_is_usable)
    order by c.id
    for no key update of c
  );
  perform retoma_internal.reconcile_campaign(u.id) from unnest(v_campaign_ids) as u (id);
  if v_is_usable then
    perform retoma.ring(array[new.id]);
  end if;
  return null;
end;
$$;

comment on function retoma_internal.channel_changed() is
'Trigger: writes the audit. When a channel goes down, interrupts its running campaigns that have no other channel. When
it is back, resumes the campaigns and rings.';

create or replace trigger channel_changed after insert or update of connected, paused on retoma_internal.channel
for each row execute function retoma_internal.channel_changed();
