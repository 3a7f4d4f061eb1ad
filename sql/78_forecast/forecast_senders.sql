-- A limit of an hour or less is a speed here: to play each of its periods through would take too many steps.
create or replace function retoma_internal.forecast_senders(
  p_campaign retoma_internal.campaign, out channel_id int, out per_hour double precision, out free_at timestamptz
) returns setof record
language sql stable
begin atomic
  select
    c.id,
    least(
      coalesce(
        retoma_internal.messages_per_hour(p, (p_campaign).batch_size), retoma_internal.unpaced_per_hour()
      ),
      (
        select min(retoma_internal.limit_per_hour(l)) from retoma_internal.limit_rule as l
        where (l.scope, l.subject_id) in (('channel', c.id), ('channel_group', c.channel_group_id))
      )
    )::double precision,
    greatest(p.hold_until, p.next_send_at)
  from retoma_internal.campaign_channel as cc
  inner join retoma_internal.channel as c on cc.channel_id = c.id
  inner join retoma_internal.channel_pacing as p on c.id = p.channel_id
  where cc.campaign_id = (p_campaign).id and c.connected and not c.paused and cc.fault is null;
end;

comment on function retoma_internal.forecast_senders(retoma_internal.campaign) is
'The channels that can send a campaign: messages per hour by their pacing and their limits of up to an hour,
also those of their groups, and the time from which they may send.';
