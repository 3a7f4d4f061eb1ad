-- Locks the pacing row, then the channel. Its triggers resume the campaigns that the pause interrupted. A gap that the
-- throttle made longer ends no later than a gap at the configured speed would.
create or replace function retoma.resume_channel(p_channel text) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_id int;
begin
  v_id := (retoma_internal.find_channel(p_channel)).id;
  update retoma_internal.channel_pacing as p
  set
    hold_until = '-infinity', hold_reason = null, hold_streak = 0, throttle = 1, throttled_at = '-infinity',
    next_send_at = least(p.next_send_at, retoma.clock() + greatest(p.gap_max, p.batch_gap_max))
  where p.channel_id = v_id and (p.hold_until > retoma.clock() or p.throttle < 1);
  perform retoma_internal.forget_failures(v_id);
  perform retoma_internal.lock_channel(p_channel);
  update retoma_internal.channel as c
  set paused = false, state_reason = case when c.connected then null else c.state_reason end
  where c.id = v_id and c.paused;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.resume_channel(text) is
'Ends the pause of pause_channel or of a breaker; and, after a rate limit of the provider, the hold and the lower speed.
Gaps and limits still apply; raise a limit with set_limit.
Error RT001: unknown channel.';
