-- Invariant 1 requires commits that survive a crash, even when a role or a database has synchronous_commit off or
-- local. The value is set for this transaction, because a setting of the function itself would end before the commit.
create or replace function retoma_internal.insist_on_durability() returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.insist_on_read_committed();
  if current_setting('synchronous_commit') in ('off', 'local') then
    perform set_config('synchronous_commit', 'on', true);
  end if;
end;
$$;

comment on function retoma_internal.insist_on_durability() is
'Makes the commit of this transaction wait until it is durable.';
