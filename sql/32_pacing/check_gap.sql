-- A patch of one end of the range never moves the other end: that would be a change without a request. It is refused
-- instead.
create or replace function retoma_internal.check_gap(
  p_patch jsonb, p_gap text, p_min interval, p_max interval
) returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
declare
  v_min_s numeric := trim_scale(extract(epoch from p_min));
  v_max_s numeric := trim_scale(extract(epoch from p_max));
begin
  if p_min > p_max then
    raise exception using errcode = 'RT003', constraint = 'min_above_max',
      message = format('%s_min_s would be %s, which is above %s_max_s: %s', p_gap, v_min_s, p_gap, v_max_s),
      hint = case
        when not p_patch ? (p_gap || '_max_s') then format('Give %s_max_s too, %s or more', p_gap, v_min_s)
        when not p_patch ? (p_gap || '_min_s') then format('Give %s_min_s too, %s or less', p_gap, v_max_s)
        else format('Give the shorter one as %s_min_s', p_gap)
      end;
  end if;
end;
$$;

comment on function retoma_internal.check_gap(jsonb, text, interval, interval) is
'Error RT003 when this patch makes the shortest gap longer than the longest one. p_gap: gap or batch_gap. p_min, p_max:
the gap after the patch.';
