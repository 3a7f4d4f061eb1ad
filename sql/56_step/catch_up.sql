-- Only a server that has lost commits knows less than its runner: a standby that was promoted without the last of them,
-- or an old primary that takes writes again. What the runner has seen was reserved, and may have been sent.
create or replace function retoma_internal.catch_up(
  p_batch retoma_internal.batch, p_seen int
) returns retoma_internal.batch
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_batch retoma_internal.batch := p_batch;
begin
  if p_seen not between 0 and p_batch.size then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('batch %s has %s messages, so the runner cannot have seen %s', p_batch.id, p_batch.size, p_seen),
      hint = 'Give as p_seen the "reserved" of the last reply';
  end if;
  if p_seen > p_batch.reserved then
    insert into retoma_internal.event (
      subject, campaign_id, batch_id, channel_id, runner_id, from_state, to_state, code, why
    )
    values (
      'batch', p_batch.campaign_id, p_batch.id, p_batch.lease_channel_id, p_batch.runner_id, 'leased', 'leased',
      'commits_lost', format('the runner has seen %s messages, and this server knew of %s', p_seen, p_batch.reserved)
    );
    v_batch.reserved := p_seen;
  end if;
  return v_batch;
end;
$$;

comment on function retoma_internal.catch_up(retoma_internal.batch, int) is
'The batch, not yet written, with all messages reserved that its runner has seen. p_seen: its position; null: not said.
Error RT003: it is outside of the batch.';
