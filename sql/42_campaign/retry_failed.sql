-- Locks the batches of the messages, then the campaign.
create or replace function retoma.retry_failed(p_campaign text, p_codes text[] default null) returns bigint
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_campaign retoma_internal.campaign;
  v_count bigint;
begin
  v_campaign := retoma_internal.find_campaign(p_campaign);
  if v_campaign.status in ('draft', 'scheduled', 'cancelled') then
    perform retoma_internal.refuse_transition(
      v_campaign, 'retry messages of', 'Only a campaign that has started and is not cancelled can retry messages'
    );
  end if;
  v_count := retoma_internal.requeue(
    v_campaign.id, 'failed', p_codes, null, p_any_channel => true, p_maybe_sent => false
  );
  perform retoma_internal.reopen_campaign(v_campaign.id);
  return v_count;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.retry_failed(text, text[]) is
'Sends failed messages of a campaign again: those with one of the error codes p_codes, or all of them when it is null.
Their attempts count from 0 again. Reopens a completed campaign. Numbers on the suppression list are skipped as always.
Returns how many messages.
Errors: RT001 unknown campaign, RT002 not started, or cancelled.';
