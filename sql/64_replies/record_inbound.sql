-- Locks the addresses of people whose number is hidden or newly named, in their order, and the replies that waited for
-- such a number, see learn_aliases. Then it inserts the replies, and locks the rows of the numbers that opt out, in the
-- order of their keys, and inserts confirmations. It waits for a lock for a second: the replies of other people must
-- not wait for a session that was left open.
--
-- An address by number holds the number: it teaches nothing.
create or replace function retoma.record_inbound(
  p_channel text, p_replies jsonb, out reply_id bigint, out provider_id text, out code text
) returns setof record
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_channel retoma_internal.channel := retoma_internal.find_channel(p_channel);
  v_aliases jsonb;
  v_found bigint[] := array[]::bigint[];
  v_ids bigint[];
begin
  perform retoma_internal.check_replies(p_replies);
  select jsonb_agg(jsonb_build_object('address', r.address, 'phone', r.phone, 'at', r.at)) into v_aliases
  from jsonb_to_recordset(p_replies) as r (address text, phone text, at text)
  where r.address <> '' and (r.phone is null or strpos(r.address, substr(r.phone, 2)) = 0);
  if v_aliases is not null then
    v_found := retoma_internal.learn_aliases(v_channel, v_aliases);
  end if;
  v_ids := retoma_internal.keep_replies(
    v_channel.id,
    case when v_aliases is null then p_replies
      else retoma_internal.with_numbers(retoma_internal.address_space(v_channel), p_replies) end
  );
  perform retoma_internal.take_opt_outs(v_ids || v_found);
  return query
    select r.id, r.provider_id, r.code from retoma_internal.reply as r
    where r.id = any(v_ids) and r.state = 'waiting'
    order by r.id;
exception
  when invalid_datetime_format or datetime_field_overflow or invalid_parameter_value then
    raise exception using errcode = 'RT003', constraint = 'bad_time',
      message = format('%L is not a time', retoma_internal.first_bad_time(p_replies)),
      hint = 'Write "at" as 2026-01-01T12:00:00Z, or leave it out';
end;
$$;

comment on function retoma.record_inbound(text, jsonb) is
'Records messages of people to a channel: [{"phone": "+5511955501234", "address": "…", "text": "SAIR", "button": null,
"opts_out": false, "provider_id": "…", "at": "2026-01-01T12:00:00Z"}]. phone: E.164, null when the provider hides it;
then address is required. It finds the chat, and the number if record_aliases or an earlier reply named both. text, or
the value of the button that was pressed, is required. at: when it was written; now by default. The rows of reply_word
say what is an opt-out; opts_out: the provider itself says that it is one, whatever the words. Repeats, known by
provider_id or by time and text, change nothing; neither does an opt-out that is older than an opt-in. A person who is
not suppressed yet gets the opt_out_confirmation of the channel, if it has one, see v_confirmation.
Returns the replies that wait for a person, see v_reply and resolve_reply. code: near_miss or no_number.
Errors: RT001 unknown channel, RT003 not such an array, not an E.164 number, or a bad time.';
