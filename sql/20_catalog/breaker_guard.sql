-- BEFORE INSERT OR UPDATE.
create or replace function retoma_internal.breaker_guard() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  if new.threshold is null or new.threshold < 1 then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('the threshold of %s cannot be %s', new.failure, coalesce(new.threshold::text, 'null')),
      hint = 'Give how many in a row stop a channel, 1 or more';
  elsif new.action is null or new.action not in ('pause', 'hold') then
    raise exception using errcode = 'RT003', constraint = 'unknown_action',
      message = format('%s is nothing that a channel does', coalesce(quote_literal(left(new.action, 200)), 'null')),
      hint = 'Choose pause, until resume_channel, or hold, for 4, 16, 64 … seconds';
  end if;
  perform retoma_internal.check_length('the note', new.note, 1000);
  return new;
end;
$$;

comment on function retoma_internal.breaker_guard() is
'Trigger: refuses a threshold, an action or a note that cannot be (RT003).';

create or replace trigger breaker_guard before insert or update on retoma.breaker
for each row execute function retoma_internal.breaker_guard();
