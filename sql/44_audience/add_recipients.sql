-- The only way into the audience; the other functions call this one. One message per number. Ordinals follow the order
-- of the list, without gaps. Refused recipients go into recipient_reject with the reason. Locks the campaign.
--
-- Plans are made again for every call: a plan that is kept does not know how long the arrays are, and joins them by
-- nested loops.
create or replace function retoma.add_recipients(
  p_campaign text,
  p_lines bigint[],
  p_phones text[],
  p_variables jsonb[],
  p_zones text[],
  out accepted bigint,
  out duplicates bigint,
  out rejected bigint
)
language plpgsql volatile security definer
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
      retoma_internal.reject_reason(g.phone, g.variables, g.zone, v_bad_zones) as reason
    from (
      select u.place, u.line, u.phone, coalesce(u.variables, '{}') as variables, nullif(u.zone, '') as zone
      from unnest(p_lines, p_phones, p_variables, p_zones) with ordinality as u (line, phone, variables, zone, place)
    ) as g
  ),
  refused as (
    insert into retoma.recipient_reject (campaign_id, line, phone, reason)
    select v_campaign.id, g.line, g.phone, g.reason from given as g where g.reason is not null
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

comment on function retoma.add_recipients(text, bigint[], text[], jsonb[], text[]) is
'Adds recipients to a draft; for programs that load long lists, about 5,000 recipients per call. p_lines: place in the
source, for the list of rejects (may be null). p_phones: E.164. p_variables: JSON objects. p_zones: IANA time zones
joined by commas (may be null). The arrays have the same length.
Returns how many recipients were accepted, dropped as duplicates of another recipient, and rejected (see
recipient_reject).
Errors: RT001 unknown campaign, RT002 not a draft.';

create or replace function retoma.add_recipients(
  p_campaign text, p_recipients jsonb, out accepted bigint, out duplicates bigint, out rejected bigint
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(p_recipients) is distinct from 'array' then
    raise exception using errcode = 'RT003', constraint = 'not_an_array',
      message = 'recipients are a JSON array of objects',
      hint = 'For example [{"phone": "+5511955501234", "variables": {"name": "Ana"}}]';
  end if;
  select a.accepted, a.duplicates, a.rejected into accepted, duplicates, rejected
  from (
    select
      array_agg(r.line order by r.line) as lines,
      array_agg(r.item ->> 'phone' order by r.line) as phones,
      array_agg(r.item -> 'variables' order by r.line) as variables,
      array_agg(r.item ->> 'zone' order by r.line) as zones
    from jsonb_array_elements(p_recipients) with ordinality as r (item, line)
  ) as list
  cross join lateral retoma.add_recipients(p_campaign, list.lines, list.phones, list.variables, list.zones) as a;
end;
$$;

comment on function retoma.add_recipients(text, jsonb) is
'Adds recipients to a draft:
[{"phone": "+5511955501234", "variables": {"name": "Ana"}, "zone": "America/Sao_Paulo"}, …]. phone: E.164. variables and
zone (IANA names joined by commas) may be missing. For long lists see recipient_staging.
Returns how many recipients were accepted, dropped as duplicates of another recipient, and rejected (see
recipient_reject).
Errors: RT001 unknown campaign, RT002 not a draft, RT003 not an array.';
