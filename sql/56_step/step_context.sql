-- A new rule for steps is one more attribute here, not one more parameter of every function of a step.
do $$
begin
  if to_regtype('retoma_internal.step_context') is null then
    create type retoma_internal.step_context as (
      at timestamptz,
      lease interval,
      token text,
      why_not text,
      pacing retoma_internal.channel_pacing,
      variant_bounds int[],
      resolves_addresses boolean
    );
  end if;
end;
$$;

comment on type retoma_internal.step_context is
'Everything that a step knows besides its batch. at: the time of the step; lease: how long a lease lasts; token: the
first part of message ids; why_not: code of the reason why it may not reserve (see why_not_in_words), null when it may;
pacing: the row of its channel, as read before it was locked; variant_bounds, resolves_addresses: as in campaign.';
