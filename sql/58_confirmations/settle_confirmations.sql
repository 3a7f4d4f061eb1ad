-- Passes over rows that other transactions have locked.
create or replace function retoma_internal.settle_confirmations(p_now timestamptz) returns void
language sql volatile
begin atomic
  update retoma_internal.confirmation as c
  set state = 'in_doubt', why = 'no_outcome', settled_at = p_now
  from (
    select k.id
    from retoma_internal.confirmation as k
    where k.state = 'sending' and k.claimed_at < p_now - (select s.lease_duration from retoma.setting as s)
    for update skip locked
  ) as o
  where c.id = o.id;
  update retoma_internal.confirmation as c
  set state = 'expired', why = o.why, settled_at = p_now
  from (
    select k.id, w.why
    from retoma_internal.confirmation as k
    inner join retoma_internal.channel as h on k.channel_id = h.id
    cross join lateral (
      select case
        when k.requested_at < p_now - interval '1 hour' then 'too_old'
        when not h.settings ? 'opt_out_confirmation' then 'no_text'
        when not exists (
          select from retoma_internal.suppression as s
          where s.suppression_key = retoma_internal.suppression_key(k.phone)
        ) then 'opted_in'
      end as why
    ) as w
    where k.state = 'pending' and w.why is not null
    for update of k skip locked
  ) as o
  where c.id = o.id;
end;

comment on function retoma_internal.settle_confirmations(timestamptz) is
'Ends the confirmations that must not be sent any more, and those whose runner has not said for a lease what came of
them.';
