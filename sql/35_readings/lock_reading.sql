create or replace function retoma_internal.lock_reading(
  p_channel_id int, p_about text, p_asked_at timestamptz
) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform from retoma_internal.reading as r
  inner join retoma_internal.channel as c on r.channel_id = c.id
  where r.channel_id = p_channel_id and r.about = p_about and r.asked_at = p_asked_at
    and r.settings_hash = hashtextextended(c.settings::text, 0)
  for no key update of r;
  return found;
end;
$$;

comment on function retoma_internal.lock_reading(int, text, timestamptz) is
'Whether an answer comes in its turn: not after another runner has had one, nor after new settings of the channel.
Locks the reading.';
