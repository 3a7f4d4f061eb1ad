-- A function, because a role that has DELETE on a table can also lock it, and then no operator could stage a list.
create or replace function retoma.discard_staged(p_campaign text) returns bigint
language sql volatile security definer
set search_path to pg_catalog, pg_temp
begin atomic -- noqa: PRS
  with gone as (
    delete from retoma.recipient_staging as s where s.campaign = p_campaign returning 1
  )

  select count(*) from gone;
end;

comment on function retoma.discard_staged(text) is
'Deletes the rows that \copy put into recipient_staging under this name, for example after a typing error in the name.
Returns how many.';
