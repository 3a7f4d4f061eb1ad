create or replace function retoma_internal.check_campaign_values(p_name text, p_batch_size int, p_max_attempts int)
returns void
language plpgsql immutable
set search_path to pg_catalog, pg_temp
as $$
begin
  if p_name is null or p_name !~ '^[^[:cntrl:]]{1,200}$' then
    raise exception using errcode = 'RT003', constraint = 'bad_name',
      message = format('%s is not a name for a campaign', coalesce(quote_literal(left(p_name, 250)), 'null')),
      hint = 'Use 1 to 200 characters in one line';
  elsif p_batch_size not between 1 and 10000 then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('a batch cannot have %s messages', p_batch_size),
      hint = 'Give 1 to 10000, or null for 300';
  elsif p_max_attempts not between 1 and 20 then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('a message cannot be tried %s times', p_max_attempts),
      hint = 'Give 1 to 20, or null for 3';
  end if;
end;
$$;

comment on function retoma_internal.check_campaign_values(text, int, int) is
'Error RT003 when the name is not 1 to 200 characters in one line, the batch size not 1 to 10000, or the number of
attempts not 1 to 20. A null number is accepted.';
