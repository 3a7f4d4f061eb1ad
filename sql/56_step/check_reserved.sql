create or replace function retoma_internal.check_reserved(p_batch retoma_internal.batch, p_ordinals int[]) returns void
language plpgsql stable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_bad int;
begin
  if p_batch.first_ordinal is null then
    v_bad := (
      select min(u.ordinal) from unnest(p_ordinals) as u (ordinal)
      where not exists (
        select from retoma_internal.batch_list as l
        where l.batch_id = p_batch.id and u.ordinal = any(l.ordinals[:p_batch.reserved])
      )
    );
  else
    v_bad := (
      select min(u.ordinal) from unnest(p_ordinals) as u (ordinal)
      where u.ordinal not between p_batch.first_ordinal and p_batch.first_ordinal + p_batch.reserved - 1
    );
  end if;
  if v_bad is not null or array_ndims(p_ordinals) > 1 or array_position(p_ordinals, null) is not null then
    raise exception using errcode = 'RT003', constraint = 'bad_outcome',
      message = format('batch %s cannot take the outcome of message %s', p_batch.id, coalesce(v_bad::text, 'null')),
      hint = 'Give ordinals that are reserved in this batch';
  end if;
end;
$$;

comment on function retoma_internal.check_reserved(retoma_internal.batch, int[]) is
'Error RT003 when one of these messages is not reserved in this batch.';
