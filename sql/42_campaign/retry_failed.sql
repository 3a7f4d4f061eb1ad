-- Queues failed messages for another attempt and reopens the campaign. Locks their batches, then the campaign.
create or replace function retoma.retry_failed(p_campaign text, p_codes text[] default null) returns bigint
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.find_campaign(p_campaign);
  v_count bigint;
begin
  if v_campaign.status in ('draft', 'scheduled', 'cancelled') then
    perform retoma_internal.refuse_transition(
      v_campaign, 'retry messages of', 'It has not failed any, or it is cancelled'
    );
  end if;
  v_count := retoma_internal.requeue(
    v_campaign.id, 'failed', p_codes, null, p_any_channel => true, p_maybe_sent => false
  );
  perform retoma_internal.reopen_campaign(v_campaign.id);
  return v_count;
end;
$$;

comment on function retoma.retry_failed(text, text[]) is
'Sends the failed messages of a campaign again: all of them, or those with these error codes. Their attempts are counted
anew. Returns how many. Numbers on the suppression list are skipped as always.
Errors: RT001 unknown campaign, RT002 not started or cancelled.';
