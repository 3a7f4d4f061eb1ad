-- Locks the campaign. The windows decide how its batches are cut, so they are fixed at the start.
create or replace function retoma.add_window(
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
  insert into retoma_internal.send_window (scope, subject_id, days, opens, closes)
  select 'campaign', v_campaign.id, w.days, w.opens, w.closes
  from retoma_internal.window_parts(p_opens, p_closes, p_days) as w;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
end;
$$;

comment on function retoma.add_window(text, time, time, int[]) is
'The campaign sends only from p_opens until before p_closes, local time in the zone of each recipient, on these ISO days
(1 is Monday). A window that closes before it opens goes over midnight: its days are those on which it opens. With
several windows the campaign sends in each of them. remove_window takes a window back.
Errors: RT001 unknown campaign, RT002 not a draft, RT003 not a window.';
