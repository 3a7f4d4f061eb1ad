create or replace function retoma_internal.limit_per_hour(p_limit retoma_internal.limit_rule) returns numeric
language sql immutable
begin atomic
  select case
    when coalesce((p_limit).calendar = 'hour', (p_limit).rolling <= interval '1 hour')
      then (p_limit).maximum * 3600 / coalesce(extract(epoch from (p_limit).rolling), 3600)
  end;
end;

comment on function retoma_internal.limit_per_hour(retoma_internal.limit_rule) is
'Messages per hour that a limit of an hour or less allows on average; null for a limit of a longer period.';
