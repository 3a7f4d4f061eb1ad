-- The rate of an operator may be lower than what the provider allows, never higher.
--
-- The caller has locked the pacing row.
create or replace function retoma_internal.apply_account(
  p_channel retoma_internal.channel, p_old retoma_internal.account, p_new retoma_internal.account
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_old double precision := (
    select p.rate_per_s from retoma_internal.channel_pacing as p where p.channel_id = p_channel.id
  );
begin
  if p_new.quality <> p_old.quality then
    insert into retoma_internal.event (subject, channel_id, from_state, to_state, code, why)
    select
      'channel', p_channel.id, s, s, 'quality',
      format('its quality went from %s to %s', p_old.quality, p_new.quality)
    from retoma_internal.channel_state(p_channel) as s;
  end if;
  if coalesce(v_old, 'infinity') > p_new.rate_per_s then
    update retoma_internal.channel_pacing as p
    set rate_per_s = p_new.rate_per_s, burst = least(p.burst, ceil(p_new.rate_per_s))
    where p.channel_id = p_channel.id;
    insert into retoma_internal.event (subject, channel_id, from_state, to_state, code, why)
    select 'channel', p_channel.id, s, s, 'rate_lowered', format(
      'the provider allows %s messages per second, not %s', p_new.rate_per_s, coalesce(v_old::text, 'any number')
    )
    from retoma_internal.channel_state(p_channel) as s;
  end if;
end;
$$;

comment on function retoma_internal.apply_account(
  retoma_internal.channel, retoma_internal.account, retoma_internal.account
) is
'After p_old, the provider says p_new: lowers the rate of the channel to what it allows, and writes a change of its
quality into the audit.';
