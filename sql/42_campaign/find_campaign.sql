-- Turns the name from a caller into the row. Takes no lock.
create or replace function retoma_internal.find_campaign(p_name text) returns retoma_internal.campaign
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_campaign retoma_internal.campaign;
begin
  perform retoma_internal.insist_on_read_committed();
  select c.* into v_campaign from retoma_internal.campaign as c where c.name = p_name;
  if not found then
    perform retoma_internal.refuse_unknown_campaign(p_name);
  end if;
  return v_campaign;
end;
$$;

comment on function retoma_internal.find_campaign(text) is 'The campaign of this name. Error RT001 when there is none.';
