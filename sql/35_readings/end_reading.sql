-- When somebody asked to read it again while this turn was under way, next_at is earlier than readings_due had set it,
-- and stays.
create or replace function retoma_internal.end_reading(
  p_channel_id int, p_about text, p_fault text
) returns void
language sql volatile
begin atomic
  update retoma_internal.reading as r
  set
    known = r.known or p_fault is null,
    fault = left(p_fault, 500),
    read_at = case when p_fault is null then retoma.clock() else r.read_at end,
    changes = r.changes + (p_fault is null)::int,
    next_at = case
      when r.next_at < r.asked_at + interval '5 minutes' then r.next_at
      when p_fault is null then retoma.clock() + t.every
      else retoma.clock() + least(t.every, '2 minutes')
    end
  from retoma_internal.channel as c
  inner join retoma.transport_reading as t on c.transport = t.transport
  where r.channel_id = p_channel_id and r.about = p_about and c.id = p_channel_id and t.about = p_about;
end;

comment on function retoma_internal.end_reading(int, text, text) is
'Ends the turn of readings_due, and sets the time of the next. p_fault: why the provider said nothing; null: it
answered. The caller has locked the reading.';
