-- Roles belong to the whole server. They are created once, by a role that may create roles. The grants in 90_security
-- belong to this database.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['retoma_operator', 'retoma_runner', 'retoma_monitor'] loop
    if not exists (select from pg_roles where rolname = v_role) then
      execute format('create role %I nologin', v_role);
    end if;
  end loop;
exception
  when insufficient_privilege then
    raise exception using errcode = 'RT020', constraint = 'roles_missing',
      message = 'the roles retoma_operator, retoma_runner and retoma_monitor do not exist, and you may not create them',
      hint = 'Let a role with CREATEROLE run "create role retoma_operator nologin" and so on, then install again';
  when duplicate_object or unique_violation then null; -- another database is installing at this moment
end
$$;
