-- A provider repeats its reports, and in any order. Its reports are compared among each other by its own clock. With
-- what operators and runners said, which is by the clock of the database, they are compared with half a minute of
-- patience: if the clock of the provider is behind, a session that works again must not stay down for ever, while a
-- report that came a moment too late corrects itself at the next send. A time that the clock has not reached yet
-- (because it was set back) proves nothing.
--
-- The caller holds the lock of the channel.
create or replace function retoma_internal.note_connection(p_channel_id int, p_at timestamptz) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_at timestamptz := retoma_internal.event_time(p_at);
begin
  if p_at is null then
    update retoma_internal.channel as c set stated_at = v_now where c.id = p_channel_id;
    return true;
  end if;
  update retoma_internal.channel as c set reported_at = v_at
  where c.id = p_channel_id
    and (c.reported_at < v_at or c.reported_at > v_now)
    and (c.stated_at < v_at + interval '30 s' or c.stated_at > v_now);
  return found;
end;
$$;

comment on function retoma_internal.note_connection(int, timestamptz) is
'Whether a change of the connection of a channel is news. p_at: when the provider saw it; null: an operator or a runner
says so now, which always is.';
