-- A slot of a rolling period counts until its last moment has left the period. So the sum is never too small, and the
-- allowance returns up to one slot late. The slot is computed from the earlier time, not by counting slots back: 96
-- slots are not always exactly one period, because a slot is a whole number of microseconds.
create or replace function retoma_internal.limit_counts_from(
  p_limit retoma_internal.limit_rule, p_at timestamptz
) returns timestamptz
language sql stable
begin atomic
  select case
    when (p_limit).calendar is not null then retoma_internal.limit_slot(p_limit, p_at)
    else retoma_internal.limit_slot(p_limit, p_at - (p_limit).rolling)
  end;
end;

comment on function retoma_internal.limit_counts_from(retoma_internal.limit_rule, timestamptz) is
'Start of the first slot that counts at p_at.';
