create or replace function retoma_internal.check_seen(p_batch retoma_internal.batch, p_seen int) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_seen < 0 or p_seen > p_batch.reserved then
    raise exception using errcode = 'RT003', constraint = 'seen_beyond_reserved',
      message = format(
        'batch %s has reserved %s messages, so the runner cannot have seen %s', p_batch.id, p_batch.reserved, p_seen
      ),
      hint = 'Give as p_seen the "reserved" of the last reply';
  end if;
end;
$$;

comment on function retoma_internal.check_seen(retoma_internal.batch, int) is
'Error RT003 when p_seen, the position that a runner has seen, is beyond the position of this batch. Null is accepted.';
