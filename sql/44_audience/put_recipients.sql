-- The only way into the audience. One message per number. Ordinals follow the order of the list, without gaps. Refused
-- recipients go into recipient_reject with the reason. Locks the campaign.
--
-- Plans are made again for every call: a plan that is kept does not know how long the arrays are, and joins them by
-- nested loops.
create or replace function retoma_internal.put_recipients(
  p_campaign text,
  p_lines bigint[],
  p_phones text[],
  p_variables jsonb[],
  p_zones text[],
  p_reasons text[],
  out accepted bigint,
  out duplicates bigint,
  out rejected bigint
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
set plan_cache_mode to force_custom_plan
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.lock_draft(p_campaign);
  v_bad_zones text[] := retoma_internal.unknown_zones(p_zones);
  v_known text[] := retoma_internal.known_phones(v_campaign.id, p_phones);
begin
  with given as materialized (
    select
      g.place, g.line, g.phone, g.variables, g.zone,
      coalesce(g.reason, retoma_internal.reject_reason(g.phone, g.variables, g.words, g.zone, v_bad_zones)) as reason
    from (
      select
        u.place, u.line, u.phone, coalesce(u.variables, '{}') as variables, u.variables::text as words,
        nullif(u.zone, '') as zone, u.reason
      from unnest(p_lines, p_phones, p_variables, p_zones, p_reasons) with ordinality
        as u (line, phone, variables, zone, reason, place)
      -- Otherwise the planner would write the variables as text once for each condition.
      offset 0
    ) as g
  ),
  refused as (
    insert into retoma.recipient_reject (campaign_id, line, phone, reason)
    select v_campaign.id, g.line, left(g.phone, 100), g.reason from given as g where g.reason is not null
    returning 1
  ),
  single as (
    select min(g.place) as place from given as g where g.reason is null group by g.phone
  ),
  loaded as (
    insert into retoma_internal.message (campaign_id, ordinal, phone, zone, variables)
    select v_campaign.id, v_campaign.total + row_number() over (order by g.place), g.phone, g.zone, g.variables
    from single as s
    inner join given as g on s.place = g.place
    where g.phone <> all(v_known)
    returning 1
  )
  select l.n, g.n - l.n - r.n, r.n into accepted, duplicates, rejected
  from
    (select count(*) as n from loaded) as l,
    (select count(*) as n from given) as g,
    (select count(*) as n from refused) as r;
  update retoma_internal.campaign as c set total = c.total + accepted where c.id = v_campaign.id;
end;
$$;

comment on function retoma_internal.put_recipients(text, bigint[], text[], jsonb[], text[], text[]) is
'As retoma.add_recipients. p_reasons: why a recipient is refused already, or null.
Errors: RT001 unknown campaign, RT002 not a draft.';
