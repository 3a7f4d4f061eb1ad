-- Moves the staged recipients of a draft into its messages: one message a number, ordinals without gaps in the order of the
-- lines. Locks the campaign, so that two loads of it take turns. Staged rows are consumed; what is refused is kept in
-- recipient_reject with its reason.
create or replace function retoma.load_staged(
  p_campaign text, out accepted bigint, out duplicates bigint, out rejected bigint
)
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign := retoma.find_campaign(p_campaign, p_lock => true);
  v_bad_zones text[];
begin
  if v_campaign.status <> 'draft' then
    perform retoma.refuse_transition(
      v_campaign, 'add recipients to', 'The audience is frozen at the start: make a new campaign for further recipients'
    );
  end if;
  v_bad_zones := retoma.unknown_zones(p_campaign);
  with taken as (
    delete from retoma.recipient_staging as s where s.campaign = p_campaign
    returning s.line, s.ctid as place, s.phone, coalesce(s.variables, '{}') as variables, nullif(s.zone, '') as zone
  ),
  judged as materialized (
    select t.*, retoma.reject_reason(t.phone, t.variables, t.zone, v_bad_zones) as reason
    from taken as t
  ),
  refused as (
    insert into retoma.recipient_reject (campaign_id, line, phone, reason)
    select v_campaign.id, j.line, j.phone, j.reason from judged as j where j.reason is not null
    returning 1
  ),
  single as (
    select distinct on (j.phone collate "C") j.line, j.place, j.phone, j.variables, j.zone
    from judged as j
    where j.reason is null
      and not exists (select from retoma.message as m where m.campaign_id = v_campaign.id and m.phone = j.phone)
    order by j.phone collate "C", j.line nulls last, j.place
  ),
  loaded as (
    insert into retoma.message (campaign_id, ordinal, phone, zone, variables)
    select
      v_campaign.id, v_campaign.total + row_number() over (order by s.line nulls last, s.place), s.phone, s.zone, s.variables
    from single as s
    returning 1
  )
  select l.n, j.n - l.n - r.n, r.n into accepted, duplicates, rejected
  from
    (select count(*) as n from loaded) as l,
    (select count(*) as n from judged) as j,
    (select count(*) as n from refused) as r;
  update retoma.campaign as c set total = c.total + accepted where c.id = v_campaign.id;
end;
$$;

comment on function retoma.load_staged(text) is
'Loads what \copy put into retoma.recipient_staging for this draft. Returns how many recipients were accepted, merged as
duplicates of a number that the campaign already has, and rejected (see retoma.recipient_reject).
Errors: RT001 unknown campaign, RT002 it is not a draft.';
