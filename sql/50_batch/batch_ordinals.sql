create or replace function retoma_internal.batch_ordinals(
  p_batch retoma_internal.batch, p_from int, p_to int
) returns int[]
language sql stable
begin atomic
  select case
    when (p_batch).first_ordinal is null
      then (select l.ordinals[p_from:p_to] from retoma_internal.batch_list as l where l.batch_id = (p_batch).id)
    else array(select generate_series((p_batch).first_ordinal + p_from - 1, (p_batch).first_ordinal + p_to - 1))
  end;
end;

comment on function retoma_internal.batch_ordinals(retoma_internal.batch, int, int) is
'The ordinals at positions p_from to p_to of a batch; positions begin at 1.';
