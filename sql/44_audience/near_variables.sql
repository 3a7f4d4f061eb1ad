-- Reads the first 1,000 recipients: a list has the same columns from its beginning to its end.
create or replace function retoma_internal.near_variables(p_campaign_id int, p_variables text[]) returns text
language sql stable
begin atomic
  select string_agg(format('%s, not %s', there.name, wanted.name), '; ' order by wanted.name, there.name)
  from (
    select distinct k.name
    from (
      select m.variables from retoma_internal.message as m
      where m.campaign_id = p_campaign_id
      order by m.ordinal
      limit 1000
    ) as first
    cross join lateral jsonb_object_keys(first.variables) as k (name)
  ) as there
  inner join unnest(p_variables) as wanted (name)
    on retoma_internal.plain_name(there.name) = retoma_internal.plain_name(wanted.name)
  where there.name <> all(p_variables);
end;

comment on function retoma_internal.near_variables(int, text[]) is
'Variables of the recipients that differ from one of p_variables only in case, accents and signs, in words; null when
there is none.';
