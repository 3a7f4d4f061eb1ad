-- Locks the campaign. Each option takes effect at the next step or lease, even while the campaign runs.
create or replace function retoma.configure_campaign(p_campaign text, p_options jsonb) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_campaign retoma_internal.campaign;
begin
  v_campaign := retoma_internal.lock_campaign(p_campaign);
  perform retoma_internal.check_patch(
    'the options of a campaign', p_options, '{time_zone,max_attempts,breaker_threshold}'
  );
  perform retoma_internal.check_time_zone(retoma_internal.patch_text(p_options, 'time_zone'));
  update retoma_internal.campaign as c
  set
    time_zone = case when p_options ? 'time_zone' then p_options ->> 'time_zone' else c.time_zone end,
    max_attempts = coalesce(
      retoma_internal.patch_int(p_options, 'max_attempts', 1, 20),
      case when p_options ? 'max_attempts' then 3 else c.max_attempts end
    ),
    breaker_threshold = coalesce(
      retoma_internal.patch_int(p_options, 'breaker_threshold', 1, 1000000),
      case when p_options ? 'breaker_threshold' then 5 else c.breaker_threshold end
    )
  where c.id = v_campaign.id;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.configure_campaign(text, jsonb) is
'Changes the options of a campaign: {"time_zone": "America/Sao_Paulo", "max_attempts": 3, "breaker_threshold": 5}. An
option that is not named stays as it is. Null sets the default: no zone, 3 and 5.
time_zone: IANA zone for recipients whose own zone is not known. max_attempts: 1 to 20 attempts per message.
breaker_threshold: the campaign is interrupted when the provider refuses this many messages of one batch in a row for
their content.
Errors: RT001 unknown campaign, RT003 unknown option or bad value.';
