-- A function, because a role that has DELETE on a table can also lock it, and then no operator could stage a list.
create or replace function retoma.discard_staged(p_campaign text) returns bigint
language plpgsql volatile security definer
set search_path to pg_catalog, pg_temp
set lock_timeout to '5s'
as $$
declare
  v_count bigint;
begin
  delete from retoma.recipient_staging as s where s.campaign = p_campaign;
  get diagnostics v_count = row_count;
  return v_count;
exception
  when lock_not_available then
    perform retoma_internal.refuse_locked();
    return null;
end;
$$;

comment on function retoma.discard_staged(text) is
'Deletes the rows that \copy put into recipient_staging under this name, for example after a typing error in the name.
Returns how many.';
