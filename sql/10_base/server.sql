-- Refuses a server or a database in which Retoma could not work. This comes first, also before procrastinate.
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
      hint = 'Make another database: create database retoma encoding ''UTF8'' locale ''C'' template template0';
  end if;
end
$$;
