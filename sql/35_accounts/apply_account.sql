-- The rate of an operator may be lower than what the provider allows, never higher. What the provider limits holds for
-- the group of the channel, if it has one: a WhatsApp portfolio has one limit for all of its numbers.
--
-- The caller has locked the pacing row. Locks the limit rule.
create or replace function retoma_internal.apply_account(
  p_channel retoma_internal.channel,
  p_old retoma_internal.account_reading,
  p_account retoma_internal.account_reading
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_scope text := case when p_channel.channel_group_id is null then 'channel' else 'channel_group' end;
  v_subject_id int := coalesce(p_channel.channel_group_id, p_channel.id);
  v_old double precision := (
    select p.rate_per_s from retoma_internal.channel_pacing as p where p.channel_id = p_channel.id
  );
begin
  if p_account.quality <> p_old.quality then
    insert into retoma_internal.event (subject, channel_id, from_state, to_state, code, why)
    select
      'channel', p_channel.id, s, s, 'quality',
      format('its quality went from %s to %s', p_old.quality, p_account.quality)
    from retoma_internal.channel_state(p_channel) as s;
  end if;
  if coalesce(v_old, 'infinity') > p_account.rate_per_s then
    update retoma_internal.channel_pacing as p
    set rate_per_s = p_account.rate_per_s, burst = least(p.burst, ceil(p_account.rate_per_s))
    where p.channel_id = p_channel.id;
    insert into retoma_internal.event (subject, channel_id, from_state, to_state, code, why)
    select 'channel', p_channel.id, s, s, 'rate_lowered', format(
      'the provider allows %s messages per second, not %s', p_account.rate_per_s, coalesce(v_old::text, 'any number')
    )
    from retoma_internal.channel_state(p_channel) as s;
  end if;
  if p_account.people_per_day is null then
    delete from retoma_internal.limit_rule as l
    where l.scope = 'channel' and l.subject_id = p_channel.id and l.told_by_provider;
    return;
  end if;
  insert into retoma_internal.limit_rule as l (scope, subject_id, counting, maximum, rolling, told_by_provider)
  values (v_scope, v_subject_id, 'people', p_account.people_per_day, '24 hours', true)
  on conflict (scope, subject_id, counting, calendar, rolling, told_by_provider) do update
  set maximum = excluded.maximum, exhausted_until = '-infinity'
  where l.maximum <> excluded.maximum;
  -- It was the limit of this channel alone, before the channel came into its group.
  delete from retoma_internal.limit_rule as l
  where l.scope = 'channel' and l.subject_id = p_channel.id and l.told_by_provider and v_scope <> 'channel';
end;
$$;

comment on function retoma_internal.apply_account(
  retoma_internal.channel, retoma_internal.account_reading, retoma_internal.account_reading
) is
'After p_old, the provider says p_account: makes its limit of people a rule, and lowers the rate of the channel to what
it allows.';
