create or replace function retoma_internal.forecast_windows(
  p_campaign_id int,
  p_zones text[],
  p_at timestamptz,
  inout p_open boolean[],
  inout p_changes timestamptz[]
)
language sql stable
begin atomic
  select
    array_agg(
      case when z.changes_at > p_at then z.is_open
        else retoma_internal.window_is_open(p_campaign_id, z.zone, p_at)
      end order by z.place
    ),
    array_agg(
      case when z.changes_at > p_at then z.changes_at
        else coalesce(retoma_internal.window_changes_at(p_campaign_id, z.zone, p_at), 'infinity')
      end order by z.place
    )
  from unnest(p_zones, p_open, p_changes) with ordinality as z (zone, is_open, changes_at, place);
end;

comment on function retoma_internal.forecast_windows(int, text[], timestamptz, boolean[], timestamptz[]) is
'For each zone, whether it is open at p_at, and when that changes next. A zone is looked at again only when its next
change has come.';
