-- Locks the pacing row, the limits, then the confirmation, and waits for none of them.
create or replace function retoma_internal.claim_confirmation(
  p_channel_id int, p_now timestamptz
) returns bigint
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_turn record;
  v_next retoma_internal.confirmation;
begin
  v_turn := retoma_internal.confirmation_turn(p_channel_id, p_now);
  if v_turn.at is null then
    return null;
  end if;
  select c.* into v_next
  from retoma_internal.confirmation as c
  where c.channel_id = p_channel_id and c.state = 'pending'
  order by c.requested_at, c.id
  limit 1
  for update skip locked;
  if not found then
    return null;
  end if;
  update retoma_internal.confirmation as c set state = 'sending', claimed_at = p_now where c.id = v_next.id;
  perform retoma_internal.spend_pacing(p_channel_id, 1, p_now);
  -- Until the outcome starts the gap anew, steps leave the turn to it.
  update retoma_internal.channel_pacing as p
  set turn_kept_until = case when p.gap_max > '0 s' then p_now + interval '1 minute' else '-infinity' end
  where p.channel_id = p_channel_id and (p.gap_max > '0 s' or p.turn_kept_until > '-infinity');
  if v_turn.limit_ids <> '{}' then
    perform retoma_internal.spend_limits(
      v_turn.limit_ids, json_build_array(json_build_array(0, v_next.message_id, v_next.phone)), 1, v_turn.at
    );
  end if;
  return v_next.id;
end;
$$;

comment on function retoma_internal.claim_confirmation(int, timestamptz) is
'Takes the oldest confirmation of a channel for the caller, and spends pacing and limits. Returns its id; null when
there is none, or when it is not its turn yet.';
