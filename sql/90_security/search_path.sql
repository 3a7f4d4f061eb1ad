-- With this, "select * from v_campaign_summary" works in a new psql session of this database.
do $$
declare
  v_path text := (
    select split_part(c, '=', 2)
    from pg_db_role_setting as s, unnest(s.setconfig) as c
    where s.setdatabase = (select d.oid from pg_database as d where d.datname = current_database())
      and s.setrole = 0 and c like 'search_path=%'
  );
begin
  if v_path ~ '\yretoma\y' then
    return;
  end if;
  execute format(
    'alter database %I set search_path to %s, retoma', current_database(), coalesce(v_path, '"$user", public')
  );
exception
  when insufficient_privilege then
    raise warning using
      message = format('the search_path of database %s stays as it is: you do not own it', current_database()),
      hint = 'Write retoma.v_campaign_summary, or: alter role … set search_path to "$user", public, retoma';
end
$$;
