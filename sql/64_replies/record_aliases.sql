-- Locks addresses, then replies that wait for a number, then the rows of the numbers that opt out; see learn_aliases.
-- It waits for a lock for a second, as record_inbound does.
create or replace function retoma.record_aliases(p_channel text, p_aliases jsonb) returns int
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_channel retoma_internal.channel := retoma_internal.find_channel(p_channel);
  v_found bigint[];
begin
  perform retoma_internal.check_aliases(p_aliases);
  v_found := retoma_internal.learn_aliases(v_channel, p_aliases);
  if v_found = '{}' then
    return 0;
  end if;
  return retoma_internal.take_opt_outs(v_found);
exception
  when invalid_datetime_format or datetime_field_overflow or invalid_parameter_value then
    raise exception using errcode = 'RT003', constraint = 'bad_time',
      message = format('%L is not a time', retoma_internal.first_bad_time(p_aliases)),
      hint = 'Write "at" as 2026-01-01T12:00:00Z, or leave it out';
end;
$$;

comment on function retoma.record_aliases(text, jsonb) is
'Records that a provider has named a person in two ways: [{"address": "123@lid", "phone": "+5511955501234",
"at": "2026-01-01T12:00:00Z"}]. From then on a reply from the address is one of the number. Instead of phone:
message_id, ours, of a message that went to the person; or previous, the address that this one replaces, whose number it
gets. With phone and previous, both addresses get the number. at: when the provider named them, now by default; the
newest counts. Opt-outs that waited for the number of an address are settled, see v_reply. Returns how many.
Errors: RT001 unknown channel, RT003 not such an array, not an E.164 number, or a bad time.';
