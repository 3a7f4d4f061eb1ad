create or replace function retoma_internal.limit_left(
  p_limit retoma_internal.limit_rule, p_at timestamptz
) returns int
language sql stable
begin atomic
  select greatest((p_limit).maximum - retoma_internal.limit_used(p_limit, p_at), 0);
end;

comment on function retoma_internal.limit_left(retoma_internal.limit_rule, timestamptz) is
'How many more messages a rule allows at p_at.';
