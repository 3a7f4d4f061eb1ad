create or replace function retoma_internal.forecast_rules(
  p_campaign_id int, p_channel_ids int[],
  out id int, out limit_of int, out room double precision, out ends_at timestamptz
) returns setof record
language sql volatile
begin atomic
  select
    l.id,
    coalesce(m.channel_id, 0),
    retoma_internal.limit_left(l, n.at)::double precision,
    coalesce(
      case when l.exhausted_until > n.at then l.exhausted_until end,
      n.at + l.rolling,
      retoma_internal.limit_ends(l, n.at)
    )
  from (select retoma.clock() as at) as n
  cross join retoma_internal.limit_rule as l
  left join lateral (
    select u.channel_id
    from unnest(p_channel_ids) as u (channel_id)
    inner join retoma_internal.channel as c on u.channel_id = c.id
    where (l.scope, l.subject_id) in (('channel', c.id), ('channel_group', c.channel_group_id))
  ) as m on true
  where retoma_internal.limit_per_hour(l) is null
    and (m.channel_id is not null or l.scope = 'campaign' and l.subject_id = p_campaign_id);
end;

comment on function retoma_internal.forecast_rules(int, int[]) is
'The limits of longer than an hour of a campaign, and of these channels and their groups: how many messages each allows
now, and when its present period ends. limit_of: the channel; 0 for those of the campaign. The limit of a group has a
row for each of its channels: with several of them, the forecast takes too much from it.';
