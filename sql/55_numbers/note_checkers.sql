-- Passes over rows that another transaction has locked.
create or replace function retoma_internal.note_checkers(p_now timestamptz) returns void
language sql volatile
begin atomic
  update retoma_internal.number_checking as q
  set worked_at = p_now
  where q.channel_id in (
    select n.channel_id
    from retoma_internal.number_checking as n
    where n.worked_at not between p_now - interval '20 s' and p_now and n.channel_id in (
      select k.channel_id
      from retoma_internal.closed_zone as z
      inner join retoma_internal.number_checker as k on z.campaign_id = k.campaign_id and k.checks and k.works
    )
    for no key update skip locked
  );
end;

comment on function retoma_internal.note_checkers(timestamptz) is
'Notes which channels can be asked about numbers now, so that a moment in which one cannot opens no batch unasked.';
