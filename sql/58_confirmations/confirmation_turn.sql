-- Waits for no lock: what another transaction has locked now is tried again in a moment. Locks the pacing row, then
-- the limits. Where there are gaps, one message is under way at a time, whether of a campaign or not. The lock of the
-- pacing row makes this true: each reservation takes it too.
create or replace function retoma_internal.confirmation_turn(
  p_channel_id int, p_now timestamptz, out limit_ids int[], out at timestamptz
)
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_has_gaps boolean;
  v_allowed int;
  v_free int;
begin
  select p.gap_max > '0 s' into v_has_gaps
  from retoma_internal.channel_pacing as p
  where p.channel_id = p_channel_id
  for update skip locked;
  if not found or v_has_gaps and exists (
    select from retoma_internal.confirmation as c where c.channel_id = p_channel_id and c.state = 'sending'
  ) then
    return;
  end if;
  select a.allowed into v_allowed
  from retoma_internal.pacing_allowance(p_channel_id, 1, p_now, p_is_confirmation => true) as a;
  if v_allowed = 0 or v_has_gaps and exists (
    select from retoma_internal.batch as b
    where b.status = 'leased' and b.lease_channel_id = p_channel_id and retoma_internal.in_flight(b) > 0
      and b.lease_expires_at > p_now - (select s.lease_duration from retoma.setting as s)
  ) then
    perform retoma_internal.keep_turn(p_channel_id, p_now, '5 s');
    return;
  end if;
  limit_ids := array(
    select l.id
    from retoma_internal.limit_rule as l
    inner join retoma_internal.channel as c on c.id = p_channel_id
    where (l.scope, l.subject_id) in (('channel', c.id), ('channel_group', c.channel_group_id))
  );
  perform from retoma_internal.limit_rule as l
  where l.id = any(limit_ids)
  order by l.id
  for no key update skip locked;
  get diagnostics v_free = row_count;
  if v_free < cardinality(limit_ids) then
    return;
  end if;
  at := p_now;
  if limit_ids <> '{}' then
    select case when a.allowed > 0 then a.at end into at from retoma_internal.limit_allowance(limit_ids, 1) as a;
  end if;
end;
$$;

comment on function retoma_internal.confirmation_turn(int, timestamptz) is
'Whether pacing and limits let a channel send one confirmation now. at: null when not; limit_ids: the rules under which
it counts. Pacing and limits stay locked.';
