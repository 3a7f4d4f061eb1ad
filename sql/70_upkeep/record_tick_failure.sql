-- Another tick that is recording the same failure, and is left open, is not waited for.
create or replace function retoma_internal.record_tick_failure(
  p_part text, p_subject_id bigint, p_sqlstate text, p_cause text
) returns void
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_now timestamptz := retoma.clock();
  v_blocked_by text := case when p_sqlstate = '55P03' then retoma_internal.oldest_transaction() end;
begin
  insert into retoma_internal.tick_failure as f (part, subject_id, since, at, sqlstate, cause, blocked_by)
  values (
    p_part, p_subject_id, v_now, v_now, p_sqlstate, left(retoma_internal.mask_numbers(p_cause), 300), v_blocked_by
  )
  on conflict (part, subject_id) do update
  set
    since = case when f.recovered_at is null then f.since else excluded.since end,
    times = case when f.recovered_at is null then least(f.times + 1, 1000000000) else 1 end,
    at = excluded.at, sqlstate = excluded.sqlstate, cause = excluded.cause, blocked_by = excluded.blocked_by,
    recovered_at = null;
exception
  when lock_not_available then null;
end;
$$;

comment on function retoma_internal.record_tick_failure(text, bigint, text, text) is
'Records that a part of the tick failed. p_subject_id: for which batch or campaign; 0: the whole part. p_cause: the
message of PostgreSQL; long numbers in it are masked.';
