create or replace function retoma_internal.close_tick_failures(p_began timestamptz) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
begin
  update retoma_internal.tick_failure as f set recovered_at = p_began where f.recovered_at is null and f.at < p_began;
  delete from retoma_internal.tick_failure as f where f.at < p_began - interval '1 hour';
exception
  when lock_not_available then null; -- another tick is left open: the next one closes them
end;
$$;

comment on function retoma_internal.close_tick_failures(timestamptz) is
'At the end of a tick that began at p_began: what did not fail in it has recovered. Failures older than an hour are
deleted.';
