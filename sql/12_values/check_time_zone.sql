create or replace function retoma_internal.check_time_zone(p_zone text) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_zone is not null and not exists (select from pg_timezone_names as z where z.name = p_zone) then
    raise exception using errcode = 'RT003', constraint = 'unknown_time_zone',
      message = format('there is no time zone %L', left(p_zone, 200)),
      hint = 'Use an IANA name such as America/Sao_Paulo: select name from pg_timezone_names';
  end if;
end;
$$;

comment on function retoma_internal.check_time_zone(text) is
'Error RT003 when p_zone is not the name of a time zone. Null is accepted.';
