-- Runs over every outcome. Digits are tested without regular expressions, which took a tenth of a step of 300 messages.
create or replace function retoma_internal.check_outcomes(p_batch retoma_internal.batch, p_outcomes jsonb) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_listed int[] := (
    select l.ordinals[:p_batch.reserved] from retoma_internal.batch_list as l where l.batch_id = p_batch.id
  );
  v_bad jsonb;
begin
  if jsonb_typeof(p_outcomes) <> 'array' then
    raise exception using errcode = 'RT003', constraint = 'not_an_array',
      message = 'outcomes are a JSON array of objects',
      hint = '[{"ordinal": 7, "status": "accepted"}]';
  end if;
  select o.item into v_bad
  from jsonb_array_elements(p_outcomes) as o (item)
  where jsonb_typeof(o.item) <> 'object'
    or jsonb_typeof(o.item -> 'ordinal') is distinct from 'number'
    or length(o.item ->> 'ordinal') > 9 or ltrim(o.item ->> 'ordinal', '0123456789') <> ''
    or not case
      when v_listed is not null then (o.item ->> 'ordinal')::int = any(v_listed)
      else (o.item ->> 'ordinal')::int between p_batch.first_ordinal and p_batch.first_ordinal + p_batch.reserved - 1
    end
    or coalesce(o.item ->> 'status', '') not in ('accepted', 'held', 'error')
    or coalesce(jsonb_typeof(o.item -> 'written'), 'null') not in ('boolean', 'null')
    or coalesce(jsonb_typeof(o.item -> 'took_id'), 'null') not in ('boolean', 'null')
    or coalesce(jsonb_typeof(o.item -> 'retry_after_s'), 'null') not in ('number', 'null')
    or pg_column_size(o.item) > 200 and (length(o.item ->> 'provider_id') > 200 or length(o.item ->> 'code') > 200)
    or length(o.item ->> 'http_status') <> 3 or ltrim(o.item ->> 'http_status', '0123456789') <> ''
    or o.item ->> 'http_status' < '100'
  limit 1;
  if v_bad is not null then
    raise exception using errcode = 'RT003', constraint = 'bad_outcome',
      message = format('batch %s cannot take the outcome %s', p_batch.id, left(v_bad::text, 500)),
      hint =
        'Give an ordinal that is reserved in this batch, a status accepted, held or error, and each fact in its type; '
        || 'provider_id and code have up to 200 characters';
  end if;
end;
$$;

comment on function retoma_internal.check_outcomes(retoma_internal.batch, jsonb) is
'Error RT003 when an outcome is malformed, or its message is not reserved in this batch.';
