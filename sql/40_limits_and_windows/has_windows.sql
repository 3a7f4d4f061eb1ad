create or replace function retoma_internal.has_windows(p_campaign_id int) returns boolean
language sql stable
begin atomic
  select exists(
    select from retoma_internal.send_window as w
    where w.scope = 'campaign' and w.subject_id = p_campaign_id
  );
end;

comment on function retoma_internal.has_windows(int) is 'Whether the campaign has sending windows.';
