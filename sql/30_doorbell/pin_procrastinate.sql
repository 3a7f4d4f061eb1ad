-- The functions of procrastinate name their tables without a schema. With this search_path they work in every session,
-- and inside ring() too.
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure from pg_proc as p
    where p.pronamespace = 'procrastinate'::regnamespace and p.prokind = 'f'
  loop
    execute format('alter function %s set search_path to procrastinate, pg_temp', v_function);
  end loop;
end
$$;
