create or replace function retoma_internal.why_not_in_words(p_code text) returns text
language sql immutable
begin atomic
  select case
    when p_code like 'campaign\_%' then 'the campaign is ' || substr(p_code, 10)
    when p_code like 'channel\_%' then 'the channel is ' || substr(p_code, 9)
    when p_code = 'template_refused' then 'the channel cannot send the template of the campaign'
    when p_code = 'window_closed' then 'it is outside the windows of the campaign'
    when p_code = 'limit_reached' then 'a limit of the channel or the campaign is used up'
    when p_code = 'lease_overdue' then 'the lease has been over for long, and another may have begun'
    when p_code = 'paced' then 'the pacing of the channel allows nothing now'
  end;
end;

comment on function retoma_internal.why_not_in_words(text) is
'The reason in p_code, in words; see advance_batch for the codes. Null for null.';
