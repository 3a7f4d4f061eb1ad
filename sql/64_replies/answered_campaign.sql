-- Subqueries with a limit make the planner probe the index of each campaign, of which the 100 newest of the channel are
-- tried. The time of a reply may be a whole second, and an outcome is recorded a moment after the provider took the
-- message: hence the minute.
create or replace function retoma_internal.answered_campaign(
  p_channel_id int, p_phone text, p_at timestamptz
) returns int
language sql stable
begin atomic
  select c.campaign_id
  from (
    select cc.campaign_id
    from retoma_internal.campaign_channel as cc
    inner join retoma_internal.campaign as c on cc.campaign_id = c.id
    where cc.channel_id = p_channel_id and c.erased_at is null and c.started_at <= p_at + interval '1 minute'
    order by c.started_at desc
    limit 100
  ) as c
  cross join lateral unnest(retoma_internal.phone_forms(p_phone)) as f (phone)
  cross join lateral (
    select m.ordinal from retoma_internal.message as m
    where m.campaign_id = c.campaign_id and m.phone = f.phone
    limit 1
  ) as m
  cross join lateral (
    select d.at from retoma_internal.delivery as d
    where d.campaign_id = c.campaign_id and d.ordinal = m.ordinal and d.channel_id = p_channel_id
      and d.outcome in ('sent', 'in_doubt') and d.at <= p_at + interval '1 minute'
    order by d.attempt desc
    limit 1
  ) as d
  order by d.at desc
  limit 1;
end;

comment on function retoma_internal.answered_campaign(int, text, timestamptz) is
'The campaign whose message the channel had sent to this number last, at that time; null when there is none.';
