-- Locks the campaign.
create or replace function retoma.remove_window(
  p_campaign text, p_opens time, p_closes time, p_days int[] default '{1,2,3,4,5,6,7}'
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_campaign retoma_internal.campaign;
begin
  v_campaign := retoma_internal.lock_campaign(p_campaign);
  if v_campaign.status <> 'draft' then
    perform retoma_internal.refuse_transition(v_campaign, 'change the windows of', 'Windows are set before the start');
  end if;
  if exists (
    select from retoma_internal.window_parts(p_opens, p_closes, p_days) as p
    where not exists (
      select from retoma_internal.send_window as w
      where w.scope = 'campaign' and w.subject_id = v_campaign.id
        and (w.days, w.opens, w.closes) = (p.days, p.opens, p.closes)
    )
  ) then
    raise exception using errcode = 'RT001', constraint = 'unknown_window',
      message = format('campaign %L has no window from %s to %s on days %s', p_campaign, p_opens, p_closes, p_days),
      hint = 'Its windows are in retoma.v_window';
  end if;
  delete from retoma_internal.send_window as w
  using retoma_internal.window_parts(p_opens, p_closes, p_days) as p
  where w.scope = 'campaign' and w.subject_id = v_campaign.id
    and (w.days, w.opens, w.closes) = (p.days, p.opens, p.closes);
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.remove_window(text, time, time, int[]) is
'Takes back a window of a draft, given as it was given to add_window. Without any window a campaign sends at all times.
Errors: RT001 unknown campaign or window, RT002 not a draft, RT003 not a window.';
