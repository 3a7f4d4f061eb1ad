-- The only update of the batch in a step. The caller holds its lock.
create or replace function retoma_internal.write_batch(
  p_batch retoma_internal.batch, p_action text, p_context retoma_internal.step_context
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_over boolean := p_action in ('completed', 'released');
begin
  update retoma_internal.batch as b
  set
    reserved = p_batch.reserved,
    sent = p_batch.sent,
    failed = p_batch.failed,
    skipped = p_batch.skipped,
    in_doubt = p_batch.in_doubt,
    requeued = p_batch.requeued,
    failure_streak = p_batch.failure_streak,
    doubt_streak = p_batch.doubt_streak,
    status = case
      when not v_over then 'leased'
      when p_action = 'completed' then 'completed'
      when p_context.why_not = 'campaign_cancelled' then 'cancelled'
      else 'ready'
    end,
    lease_epoch = b.lease_epoch + v_over::int,
    lease_expires_at = case when not v_over then p_context.at + p_context.lease end,
    runner_id = case when not v_over then b.runner_id end,
    lease_channel_id = case when not v_over then b.lease_channel_id end,
    completed_at = case when p_action = 'completed' then p_context.at end
  where b.id = p_batch.id;
end;
$$;

comment on function retoma_internal.write_batch(retoma_internal.batch, text, retoma_internal.step_context) is
'Writes position and counters of a batch, and renews its lease, or ends it when p_action is completed or released.';
