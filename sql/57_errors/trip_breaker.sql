-- The provider refuses the content, not the recipients: the campaign stops before its whole list fails. Or it leaves
-- every message of this campaign in doubt, while those of others on the channel are accepted. Locks the campaign.
create or replace function retoma_internal.trip_breaker(
  p_batch retoma_internal.batch, p_channel retoma_internal.channel, p_codes jsonb
) returns boolean
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign;
  v_doubts int := (
    select b.threshold + p_channel.max_in_flight * p_channel.max_leases - 1
    from retoma.breaker as b where b.failure = 'ambiguous'
  );
  v_reason text;
begin
  select c.* into v_campaign from retoma_internal.campaign as c where c.id = p_batch.campaign_id;
  v_reason := case
    when p_codes ? 'campaign_down' then
      retoma_internal.campaign_down_in_words(p_channel.transport, p_codes ->> 'campaign_down')
    when p_codes ? 'permanent_message' and p_batch.failure_streak >= v_campaign.breaker_threshold then format(
      '%s messages in a row were refused for their content (%s)', p_batch.failure_streak,
      p_codes ->> 'permanent_message'
    )
    when p_codes ? 'ambiguous' and p_batch.doubt_streak >= v_doubts then format(
      '%s messages in a row may or may not have been taken (%s), and the channel accepts others',
      p_batch.doubt_streak, p_codes ->> 'ambiguous'
    )
  end;
  perform retoma_internal.interrupt_by_breaker(v_campaign.id, v_reason) where v_reason is not null;
  return v_reason is not null;
end;
$$;

comment on function retoma_internal.trip_breaker(retoma_internal.batch, retoma_internal.channel, jsonb) is
'Interrupts the campaign of a batch after an error of class campaign_down, or when its failure_streak has reached
campaign.breaker_threshold, or its doubt_streak the threshold of breaker. p_codes: the last error of each class. Returns
whether it has.';
