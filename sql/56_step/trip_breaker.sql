-- The provider refuses the content, not the recipients. The campaign stops before its whole list fails. Locks the
-- campaign.
create or replace function retoma_internal.trip_breaker(p_batch retoma_internal.batch, p_code text) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  update retoma_internal.campaign as c
  set
    status = 'interrupted', interrupt_cause = 'breaker',
    status_reason = format('%s messages in a row were refused for their content (%s)', p_batch.failure_streak, p_code)
  where c.id = p_batch.campaign_id and c.status = 'running' and p_batch.failure_streak >= c.breaker_threshold;
end;
$$;

comment on function retoma_internal.trip_breaker(retoma_internal.batch, text) is
'Interrupts the campaign of a batch whose failure_streak has reached campaign.breaker_threshold. p_code: the last
error.';
