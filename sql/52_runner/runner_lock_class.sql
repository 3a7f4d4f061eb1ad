create or replace function retoma_internal.runner_lock_class() returns int
language sql immutable parallel safe
begin atomic
  select 1380275021; -- the letters RETM
end;

comment on function retoma_internal.runner_lock_class() is
'First key of the advisory locks that show that a runner is alive.';
