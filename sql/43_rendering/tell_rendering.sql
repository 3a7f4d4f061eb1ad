create or replace function retoma_internal.tell_rendering(p_campaign retoma_internal.campaign) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_faults bigint;
  v_left int;
begin
  -- Nothing is left of it, and no recipient will be added.
  update retoma_internal.campaign_content as t set rendering = false
  where t.campaign_id = p_campaign.id and t.rendering and t.rendered >= p_campaign.total;
  select sum(f.messages) into v_faults
  from retoma_internal.render_fault as f where f.campaign_id = p_campaign.id;
  v_left := (select r.messages from retoma_internal.left_to_render as r where r.campaign_id = p_campaign.id);
  if v_faults > 0 then
    raise warning using
      message = format('%s messages of campaign %L cannot be made, and will fail', v_faults, p_campaign.name),
      hint = format(
        'Why: select code, reason, messages, first_ordinal from retoma.v_render_fault where campaign = %L',
        p_campaign.name
      );
  end if;
  -- A runner does not need a second for fewer.
  if v_left > 1000 then
    raise notice using
      message = format('runners are still checking %s messages of campaign %L', v_left, p_campaign.name),
      hint = 'retoma.v_render_fault counts those that cannot be made, with the reason';
  end if;
end;
$$;

comment on function retoma_internal.tell_rendering(retoma_internal.campaign) is
'At the start of a campaign: a warning about messages that cannot be made, a notice when more than 1000 are not
checked.';
