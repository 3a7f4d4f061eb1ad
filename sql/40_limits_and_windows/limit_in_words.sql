create or replace function retoma_internal.limit_in_words(p_limit retoma_internal.limit_rule) returns text
language sql immutable
begin atomic
  select format(
    'limit of %s %s per %s',
    (p_limit).maximum, (p_limit).counting, retoma_internal.period_in_words((p_limit).calendar, (p_limit).rolling)
  );
end;

comment on function retoma_internal.limit_in_words(retoma_internal.limit_rule) is
'A limit as people say it: limit of 200 messages per day.';
