-- Locks the reply, then the row of the number; inserts a confirmation.
create or replace function retoma.resolve_reply(p_reply_id bigint, p_decision text, p_phone text default null)
returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_reply retoma_internal.reply;
  v_consent record;
begin
  perform retoma_internal.insist_on_read_committed();
  if p_decision is null or p_decision not in ('opt_out', 'no_opt_out') then
    raise exception using errcode = 'RT003', constraint = 'unknown_decision',
      message = format('%s is not a decision about a reply', coalesce(quote_literal(p_decision), 'null')),
      hint = 'opt_out: the person wants no more messages; no_opt_out: nothing has to be done';
  end if;
  select r.* into v_reply from retoma_internal.reply as r where r.id = p_reply_id for no key update;
  if not found then
    raise exception using errcode = 'RT001', constraint = 'unknown_reply',
      message = format('there is no reply %s', coalesce(p_reply_id::text, 'null')),
      hint = 'Those that wait for a person: select * from retoma.v_reply where state = ''waiting''';
  end if;
  if p_decision = 'opt_out' then
    v_reply.phone := coalesce(p_phone, v_reply.phone);
    perform retoma_internal.check_phone(v_reply.phone);
    v_consent := retoma_internal.record_consent(
      v_reply.phone, false, format('reply %s, read by %s', p_reply_id, session_user), 'opt_out', v_reply.at
    );
    v_reply.state := case when v_consent.counts then 'opted_out' else 'outdated' end;
    if v_consent.suppresses then
      perform retoma_internal.queue_confirmation(v_reply, retoma.clock());
    end if;
  else
    v_reply.state := 'settled';
  end if;
  update retoma_internal.reply as r
  set phone = v_reply.phone, state = v_reply.state, settled_at = retoma.clock(), settled_by = session_user
  where r.id = p_reply_id;
  return v_reply.state;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.resolve_reply(bigint, text, text) is
'A person has read a reply of v_reply. p_decision: opt_out, no campaign contacts the number any more, from the time of
the reply on; or no_opt_out. p_phone: the number of the person in E.164, when the provider has hidden it. Returns the
new state of the reply; outdated when the person opted in later.
Errors: RT001 unknown reply, RT003 not a decision, or no E.164 number.';
