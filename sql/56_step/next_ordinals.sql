create or replace function retoma_internal.next_ordinals(p_batch retoma_internal.batch, p_count int) returns int[]
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_ordinals int[] := retoma_internal.batch_ordinals(p_batch, p_batch.reserved + 1, p_batch.reserved + p_count);
begin
  if cardinality(v_ordinals) is distinct from p_count then
    raise exception using errcode = 'RT012', constraint = 'rows_missing',
      message = format('the list of batch %s is shorter than its %s messages', p_batch.id, p_batch.size),
      hint = 'Rows of Retoma were removed by hand: restore them from a backup, or cancel the campaign';
  end if;
  return v_ordinals;
end;
$$;

comment on function retoma_internal.next_ordinals(retoma_internal.batch, int) is
'The ordinals of the next p_count messages of a batch. Error RT012: the list of the batch has lost messages.';
