-- Refuses to install where procrastinate, whose tables the doorbell uses, is missing.
do $$
begin
  if to_regclass('procrastinate.procrastinate_jobs') is null then
    raise exception using errcode = 'RT020', constraint = 'procrastinate_missing',
      message = 'procrastinate is not installed in the schema "procrastinate" of this database',
      hint = 'Run "retoma db install", which installs both, or install it first: retoma db procrastinate-sql | psql';
  end if;
end
$$;
