create or replace function retoma_internal.audience_fault(
  p_campaign_id int, p_required text[], p_unknown text[]
) returns text
language sql stable
begin atomic
  select coalesce(
    retoma_internal.missing_variables(p_campaign_id, p_required),
    'a variable of the text has another name in the list: '
      || retoma_internal.near_variables(p_campaign_id, p_unknown)
  );
end;

comment on function retoma_internal.audience_fault(int, text[], text[]) is
'Why a content cannot be sent to the recipients of the campaign, in words; null when it can. p_required: variables that
every recipient must have. p_unknown: variables that nobody has, and that the content names.';
