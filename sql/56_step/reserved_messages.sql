-- A message that must no longer be sent (a suppressed number, one without a row, or all when p_withhold) is marked, and
-- the runner reports it as not attempted. That is not recorded here: an earlier call whose connection was lost can run
-- late, when the message is already being sent.
create or replace function retoma_internal.reserved_messages(
  p_batch retoma_internal.batch, p_seen int, p_withhold boolean
) returns json
language sql stable
begin atomic
  select json_agg(
    json_build_array(
      u.ordinal, retoma_internal.message_id(c.token, u.ordinal), m.phone, m.variables,
      p_withhold or m.phone is null or exists (
        select from retoma_internal.suppression as s
        where s.suppression_key = retoma_internal.suppression_key(m.phone)
      )
    ) order by u.ordinal
  )
  from retoma_internal.campaign as c
  cross join lateral unnest(
    retoma_internal.batch_ordinals(p_batch, p_seen + 1, (p_batch).reserved)
  ) as u (ordinal)
  left join retoma_internal.message as m on m.campaign_id = c.id and u.ordinal = m.ordinal
  where c.id = (p_batch).campaign_id and not exists (
    select from retoma_internal.delivery as d
    where d.campaign_id = c.id and d.ordinal = u.ordinal and d.attempt = (p_batch).attempt
  );
end;

comment on function retoma_internal.reserved_messages(retoma_internal.batch, int, boolean) is
'The messages of a lost reply, as in advance_batch: reserved under this lease after position p_seen, without an outcome.
p_withhold: none of them must be sent now.';
