-- Turns the name that a person typed into the row, and locks it when the caller is about to change its state.
create or replace function retoma.find_campaign(p_name text, p_lock boolean default false) returns retoma.campaign
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma.campaign;
begin
  if p_lock then
    select c.* into v_campaign from retoma.campaign as c where c.name = p_name for no key update;
  else
    select c.* into v_campaign from retoma.campaign as c where c.name = p_name;
  end if;
  if v_campaign.id is null then
    raise exception using errcode = 'RT001',
      message = format('there is no campaign %s', coalesce(quote_literal(p_name), 'null')),
      hint = 'See them all: select campaign, status from retoma.v_campaign_summary';
  end if;
  return v_campaign;
end;
$$;

comment on function retoma.find_campaign(text, boolean) is 'The campaign of this name. Error RT001 when there is none.';
