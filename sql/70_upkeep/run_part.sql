-- What one part does is undone when it fails, with its locks, and the tick goes on. When the failure comes from a row,
-- the part is done again in halves, until only the batch or campaign that fails is left out.
--
-- A cancelled statement is not caught here ("others" does not include query_canceled): an operator or a time-out
-- ended the whole tick. Neither is a serialization failure, because such a transaction can only begin again. After 100
-- failures of a part its halves are not tried any more, so that a tick stays short.
create or replace function retoma_internal.run_part(p_part text, p_ids bigint[] default null) returns int
language plpgsql volatile
set search_path to pg_catalog, pg_temp
as $$
declare
  v_state text;
  v_cause text;
  v_ids bigint[] := array[]::bigint[];
  v_half int;
begin
  begin
    return retoma_internal.do_part(p_part, p_ids);
  exception
    when serialization_failure then
      raise;
    when others then
      get stacked diagnostics v_state = returned_sqlstate, v_cause = message_text;
  end;
  if retoma_internal.is_defect(v_state) and (p_ids is null or cardinality(p_ids) > 1) and (
    select count(*) from retoma_internal.tick_failure as f where f.part = p_part and f.recovered_at is null
  ) < 100 then
    v_ids := coalesce(p_ids, retoma_internal.subjects_of(p_part));
  end if;
  if v_ids <> '{}' then
    v_half := (cardinality(v_ids) + 1) / 2;
    return retoma_internal.run_part(p_part, v_ids[:v_half]) + retoma_internal.run_part(p_part, v_ids[v_half + 1:]);
  end if;
  perform retoma_internal.record_tick_failure(
    p_part, case when cardinality(p_ids) = 1 then p_ids[1] else 0 end, v_state, v_cause
  );
  return 0;
end;
$$;

comment on function retoma_internal.run_part(text, bigint[]) is
'Does one part of the tick so that its failure does not stop the others. p_ids: as for do_part. Returns how many things
it did; a failure is recorded, see v_tick_failure.';
