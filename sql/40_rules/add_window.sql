-- Locks the campaign. The windows decide how its batches are cut, so they are fixed at the start.
create or replace function retoma.add_window(
  p_campaign text, p_opens time, p_closes time, p_days int[] default '{1,2,3,4,5,6,7}'
) returns void
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign := retoma_internal.lock_campaign(p_campaign);
begin
  if v_campaign.status <> 'draft' then
    perform retoma_internal.refuse_transition(v_campaign, 'change the windows of', 'Windows are set before the start');
  end if;
  if not coalesce(p_opens < p_closes and p_days <@ '{1,2,3,4,5,6,7}' and p_days <> '{}', false) then
    raise exception using errcode = 'RT003', constraint = 'not_a_window',
      message = format('%s to %s on days %s is not a window', p_opens, p_closes, p_days),
      hint = 'A window opens before it closes, on ISO days 1 (Monday) to 7; over midnight, add two windows';
  end if;
  insert into retoma_internal.send_window (scope, subject_id, days, opens, closes)
  values ('campaign', v_campaign.id, p_days::smallint[], p_opens, p_closes);
end;
$$;

comment on function retoma.add_window(text, time, time, int[]) is
'The campaign sends only from p_opens until before p_closes, local time in the zone of each recipient, on these ISO days
(1 is Monday). With several windows it sends in each of them.
Errors: RT001 unknown campaign, RT002 not a draft, RT003 not a window.';
