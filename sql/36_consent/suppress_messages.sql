-- Inserts in the order of the numbers. A transaction waits for another one that has just inserted the same number. With
-- the same order everywhere, two transactions cannot deadlock.
create or replace function retoma_internal.suppress_messages(
  p_campaign_id int, p_ordinals int[], p_reason text, p_source text
) returns void
language sql volatile
begin atomic
  insert into retoma_internal.suppression (suppression_key, phone, reason, source)
  select retoma_internal.suppression_key(m.phone), m.phone, p_reason, p_source
  from retoma_internal.message as m
  where m.campaign_id = p_campaign_id and m.ordinal = any(p_ordinals)
  order by 1
  on conflict do nothing;
end;

comment on function retoma_internal.suppress_messages(int, int[], text, text) is
'Puts the numbers of these messages on the suppression list. p_reason: as in opt_out.';
