create or replace function retoma.sample_recipients(
  p_campaign text, p_count int default 10, out ordinal int, out phone text, out variables jsonb, out variant int
) returns setof record
language plpgsql stable security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.find_campaign(p_campaign);
begin
  return query
  select
    m.ordinal,
    m.phone,
    m.variables,
    retoma_internal.variant_of(
      retoma_internal.message_id(v_campaign.token, m.ordinal), v_campaign.variant_bounds
    )
  from retoma_internal.message as m
  where m.campaign_id = v_campaign.id
  order by m.ordinal
  limit greatest(least(p_count, 1000), 0);
end;
$$;

comment on function retoma.sample_recipients(text, int) is
'The first p_count recipients of a campaign, at most 1000, to look at what they would get. variant: which
content. Error RT001: unknown
campaign.';
