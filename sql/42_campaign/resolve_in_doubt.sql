-- Locks the batches of the messages, then the campaign.
create or replace function retoma.resolve_in_doubt(
  p_campaign text, p_decision text, p_phones text[] default null
) returns bigint
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_campaign retoma_internal.campaign;
  v_ordinals int[];
  v_count bigint;
begin
  v_campaign := retoma_internal.find_campaign(p_campaign);
  if p_phones is not null then
    v_ordinals := (
      select coalesce(array_agg(m.ordinal), '{}') from retoma_internal.message as m
      where m.campaign_id = v_campaign.id and m.phone = any(p_phones)
    );
  end if;
  if p_decision = 'resend' then
    if v_campaign.status = 'cancelled' then
      perform retoma_internal.refuse_transition(v_campaign, 'send again messages of', 'Decide sent or failed instead');
    end if;
    v_count := retoma_internal.requeue(
      v_campaign.id, 'in_doubt', null, v_ordinals, p_any_channel => false, p_maybe_sent => true
    );
    perform retoma_internal.reopen_campaign(v_campaign.id);
  elsif p_decision in ('sent', 'failed') then
    v_count := retoma_internal.settle_in_doubt(v_campaign.id, v_ordinals, p_decision, 'operator');
  else
    raise exception using errcode = 'RT003', constraint = 'unknown_decision',
      message = format('%s is not a decision', coalesce(quote_literal(p_decision), 'null')),
      hint = 'Decide sent (it has arrived), failed (do not send it again), or resend (it may arrive twice)';
  end if;
  return v_count;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.resolve_in_doubt(text, text, text[]) is
'Settles messages in doubt of a campaign: those to p_phones (E.164), or all of them when p_phones is null. p_decision:
sent (it has arrived), failed, or resend; after resend a recipient may get the message twice. Returns how many messages.
See v_in_doubt.
Errors: RT001 unknown campaign, RT002 resend of a cancelled campaign, RT003 not a decision.';
