create or replace function retoma_internal.forecast_rules(
  p_campaign_id int, p_channel_ids int[],
  out id int, out limit_of int, out room double precision, out ends_at timestamptz
) returns setof record
language sql volatile
begin atomic
  select
    l.id,
    case l.scope when 'channel' then l.subject_id else 0 end,
    retoma_internal.limit_left(l, n.at)::double precision,
    coalesce(
      case when l.exhausted_until > n.at then l.exhausted_until end,
      n.at + l.rolling,
      retoma_internal.limit_ends(l, n.at)
    )
  from (select retoma.clock() as at) as n
  cross join retoma_internal.limit_rule as l
  where retoma_internal.limit_per_hour(l) is null and (
    (l.scope = 'campaign' and l.subject_id = p_campaign_id)
    or (l.scope = 'channel' and l.subject_id = any(p_channel_ids))
  );
end;

comment on function retoma_internal.forecast_rules(int, int[]) is
'The limits of longer than an hour of a campaign and of these channels: how many messages each allows now, and when its
present period ends. limit_of: the channel; 0 for those of the campaign.';
