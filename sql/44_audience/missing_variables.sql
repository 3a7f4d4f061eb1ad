-- Reads every message once, unless p_variables is empty.
create or replace function retoma_internal.missing_variables(p_campaign_id int, p_variables text[]) returns text
language sql stable
begin atomic
  select format(
    '%s recipients of campaign %L lack one of the variables %s (the first is number %s)%s',
    count(*), c.name, retoma_internal.listed(p_variables), min(m.ordinal),
    '; in the list it is ' || retoma_internal.near_variables(c.id, p_variables)
  )
  from retoma_internal.campaign as c
  inner join retoma_internal.message as m on c.id = m.campaign_id
  where cardinality(p_variables) > 0 and c.id = p_campaign_id and m.campaign_id = p_campaign_id
    and exists (select from unnest(p_variables) as k (name) where coalesce(m.variables ->> k.name, '') = '')
  group by c.id;
end;

comment on function retoma_internal.missing_variables(int, text[]) is
'How many recipients lack one of p_variables, in words; null when none does.';
