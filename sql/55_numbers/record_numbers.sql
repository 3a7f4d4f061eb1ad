-- Locks the turn of the channel, the numbers, then the batch when all of its numbers are known. An answer that comes
-- after another runner has had its turn is ignored. When nothing is answered, the provider is given 15 seconds: three
-- questions in a row must not fall into one restart of it. No answers at all give the turn back.
create or replace function retoma.record_numbers(
  p_channel_id int, p_asked_at timestamptz, p_answers jsonb
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '1s'
as $$
declare
  v_checking retoma_internal.number_checking;
  v_answered boolean;
  v_gap_s double precision;
  v_unknown int;
begin
  perform retoma_internal.insist_on_read_committed();
  perform retoma_internal.check_answers(p_answers);
  select q.* into v_checking
  from retoma_internal.number_checking as q
  where q.channel_id = p_channel_id and q.asked_at = p_asked_at
  for no key update;
  if not found then
    return;
  end if;
  perform retoma_internal.record_answers(p_answers, case when v_checking.unanswered >= 10 then 3 else 1 end);
  v_answered := p_answers @? '$[*].exists ? (@ != null)';
  v_gap_s := (
    select (h.settings ->> 'check_gap_s')::double precision from retoma_internal.channel as h where h.id = p_channel_id
  );
  v_unknown := (select count(*) from retoma_internal.unknown_numbers(v_checking.batch_id));
  update retoma_internal.number_checking as q
  set
    asked_at = '-infinity',
    next_at = retoma.clock() + make_interval(
      secs => case when v_answered or p_answers = '[]' then coalesce(v_gap_s, 0) else greatest(v_gap_s, 15) end
    ),
    known = coalesce((select b.size from retoma_internal.batch as b where b.id = q.batch_id) - v_unknown, 0),
    unanswered = case when v_answered then 0 else least(q.unanswered + jsonb_array_length(p_answers), 1000000) end
  where q.channel_id = p_channel_id;
  if v_unknown = 0 then
    perform retoma_internal.open_batch(v_checking.batch_id);
  end if;
end;
$$;

comment on function retoma.record_numbers(int, timestamptz, jsonb) is
'For runners: the answers to numbers_to_check, also when they are only a part, or none: [{"phone": "+5511955510001",
"exists": true, "address": "+551155510001"}]. exists: whether the number is on WhatsApp; null when the provider did not
say: after three such questions a message goes to the number as it is. address: another number (E.164), an address of
the provider that hides the number (123@lid), or null for the number itself. When all numbers of a batch are known, it
can be leased. Error RT003: not such a list.';
