-- Inserts in the order of the numbers, once per transaction. A transaction waits for another one that has just inserted
-- the same number. With the same order everywhere, two transactions cannot deadlock.
create or replace function retoma_internal.suppress_messages(
  p_campaign_ids int[], p_ordinals int[], p_sources text[]
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_ordinals is null then
    return;
  end if;
  insert into retoma_internal.suppression (suppression_key, phone, reason, source)
  select retoma_internal.suppression_key(m.phone), m.phone, 'invalid', s.source
  from unnest(p_campaign_ids, p_ordinals, p_sources) as s (campaign_id, ordinal, source)
  inner join retoma_internal.message as m on s.campaign_id = m.campaign_id and s.ordinal = m.ordinal
  order by 1, 4
  on conflict do nothing;
end;
$$;

comment on function retoma_internal.suppress_messages(int[], int[], text[]) is
'Puts the numbers of these messages on the suppression list, because a provider says that they are invalid. p_sources:
for each message, who says so, and with which code. All null: none.';
