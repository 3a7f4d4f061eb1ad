create or replace function retoma.check_outcomes(p_batch retoma.batch, p_outcomes jsonb, p_reserved int[]) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_bad jsonb;
begin
  if jsonb_typeof(p_outcomes) <> 'array' then
    raise exception using errcode = 'RT003',
      message = 'outcomes are a JSON array of objects',
      hint = '[{"ordinal": 7, "status": "accepted"}]';
  end if;
  select o.item into v_bad
  from jsonb_array_elements(p_outcomes) as o (item)
  where jsonb_typeof(o.item) <> 'object'
    or jsonb_typeof(o.item -> 'ordinal') is distinct from 'number'
    or not (o.item ->> 'ordinal') ~ '^\d{1,9}$'
    or not (o.item ->> 'ordinal')::numeric::int = any(p_reserved)
    or coalesce(o.item ->> 'status', '') not in ('accepted', 'held', 'error')
  limit 1;
  if v_bad is not null then
    raise exception using errcode = 'RT003',
      message = format('batch %s cannot take the outcome %s', p_batch.id, v_bad),
      hint = 'The ordinal is one that this lease has reserved; the status is accepted, held or error';
  end if;
end;
$$;

comment on function retoma.check_outcomes(retoma.batch, jsonb, int[]) is
'Error RT003 when an outcome is malformed or of a message that this batch has not reserved.';
