-- Refuses to install where Retoma could not work. This comes first, before anything is changed.
do $$
begin
  if current_setting('server_version_num')::int < 150000 then
    raise exception using errcode = 'RT020', constraint = 'server_too_old',
      message = format('Retoma needs PostgreSQL 15 or later; this server is %s', current_setting('server_version')),
      hint = 'Connect to a newer server, or let Retoma start its own: retoma db start';
  end if;
  if current_setting('server_encoding') <> 'UTF8' then
    raise exception using errcode = 'RT020', constraint = 'not_utf8',
      message = format('the encoding of this database is %s, and texts need UTF8', current_setting('server_encoding')),
      hint = 'Make another database: create database retoma encoding ''UTF8'' template template0';
  end if;
  if to_regclass('procrastinate.procrastinate_jobs') is null then
    raise exception using errcode = 'RT020', constraint = 'procrastinate_missing',
      message = 'procrastinate is not installed in the schema "procrastinate" of this database',
      hint = 'Run "retoma db install", which installs both, or install it first: retoma db procrastinate-sql | psql';
  end if;
end
$$;
