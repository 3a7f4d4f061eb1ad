-- Freezes the audience and cuts it into batches. Locks the campaign. Its trigger rings.
create or replace function retoma.start_campaign(p_campaign text, p_at timestamptz default null) returns text
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_campaign retoma_internal.campaign;
  v_at timestamptz;
begin
  v_campaign := retoma_internal.lock_campaign(p_campaign);
  v_at := coalesce(p_at, case when v_campaign.status = 'draft' then v_campaign.starts_at end);
  if v_campaign.status not in ('draft', 'scheduled') then
    perform retoma_internal.refuse_transition(
      v_campaign, 'start',
      case v_campaign.status
        when 'paused' then 'Continue it: select retoma.resume_campaign(name)'
        when 'interrupted' then 'It has started; retoma.v_interrupted_campaigns says what to do'
        when 'running' then 'It is already running; see retoma.v_campaign_summary'
        else 'A finished campaign stays finished: create a new one'
      end
    );
  end if;
  if v_campaign.status = 'draft' then
    perform retoma_internal.check_audience(v_campaign);
    perform retoma_internal.check_templates(v_campaign);
    perform retoma_internal.refresh_statistics(v_campaign);
    update retoma_internal.campaign as c
    set resolves_addresses = exists (
      select from retoma_internal.number_checker as k where k.campaign_id = c.id and k.checks
    )
    where c.id = v_campaign.id
    returning c.* into v_campaign;
    perform retoma_internal.cut_batches(v_campaign);
    perform retoma_internal.tell_rendering(v_campaign);
  end if;
  update retoma_internal.campaign as c
  set
    starts_at = v_at,
    status = case when v_at > retoma.clock() then 'scheduled' else 'running' end
  where c.id = v_campaign.id;
  perform retoma_internal.reconcile_campaign(v_campaign.id);
  return (select c.status from retoma_internal.campaign as c where c.id = v_campaign.id);
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.start_campaign(text, timestamptz) is
'Starts a draft at p_at, else at the time given to create_campaign, else now. For a scheduled campaign: at p_at, else
now. A waiting runner begins within a second. Returns the new status: running, scheduled, or interrupted when it cannot
be sent. A warning says how many messages cannot be made, and a notice how many are still being checked, if they are
more than 1000.
Errors: RT001 unknown campaign, RT002 neither draft nor scheduled, RT005 no recipients, a content that can never be
sent, a template that cannot be sent, a variable missing, or a time zone missing.';
