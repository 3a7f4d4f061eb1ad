-- All refusals of a change of state have the same wording.
create or replace function retoma_internal.refuse_transition(
  p_campaign retoma_internal.campaign, p_action text, p_hint text
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  raise exception using errcode = 'RT002', constraint = 'wrong_status',
    message = format('cannot %s campaign %L: it is %s', p_action, p_campaign.name, p_campaign.status),
    hint = p_hint;
end;
$$;

comment on function retoma_internal.refuse_transition(retoma_internal.campaign, text, text) is
'Raises RT002: cannot do p_action (a verb) with this campaign in its status. p_hint: what to do instead.';
