create or replace function retoma_internal.check_variables(p_campaign retoma_internal.campaign) returns text[]
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_content retoma_internal.campaign_content;
  v_unknown text[];
  v_unknown_to_all text[] := array[]::text[];
  v_unfit text;
begin
  -- Every recipient has to have the variables of every variant: chance decides which one they get.
  for v_content in
    select t.* from retoma_internal.campaign_content as t where t.campaign_id = p_campaign.id order by t.variant
  loop
    if v_content.fault is not null then
      raise exception using errcode = 'RT005', constraint = 'content_refused',
        message = format('campaign %L cannot be sent: %s', p_campaign.name, v_content.fault),
        hint = 'The content is fixed: create a new campaign';
    end if;
    v_unknown := retoma_internal.unknown_variables(p_campaign.id, v_content.optional_variables);
    v_unfit := retoma_internal.audience_fault(p_campaign.id, v_content.required_variables, v_unknown);
    if v_unfit is not null then
      raise exception using errcode = 'RT005', constraint = 'variables_missing', message = v_unfit,
        hint = 'Create a campaign whose text has the names of the list, import the recipients with these variables, '
          || 'or give the text a default: {{ name | default: "" }}';
    end if;
    v_unknown_to_all := array(
      select u.name from unnest(v_unknown_to_all) as u (name) union select u.name from unnest(v_unknown) as u (name)
      order by 1
    );
  end loop;
  return v_unknown_to_all;
end;
$$;

comment on function retoma_internal.check_variables(retoma_internal.campaign) is
'Error RT005 when a content of the campaign cannot be sent, when a recipient lacks a variable that one requires, or when
a variable is written otherwise than in the list. Returns the variables that contents name and no recipient has.';
