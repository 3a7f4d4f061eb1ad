-- BEFORE INSERT OR UPDATE. The codes timeout and connection_lost say that no answer came. No knowledge of a provider
-- can turn that into a proof. Every class but ambiguous would send such a message again, or count it as not sent, as if
-- it could not have arrived. For an answer that is ambiguous by default, such as http_500, an operator can know more.
create or replace function retoma_internal.error_rule_guard() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
declare
  v_classes text[] := array[
    'transient', 'rate_limited_channel', 'rate_limited_recipient', 'permanent_recipient', 'permanent_message',
    'recipient_or_account', 'campaign_down', 'channel_down', 'auth', 'ambiguous'
  ];
begin
  perform retoma_internal.check_length('the code', new.code, 200);
  perform retoma_internal.check_length('the note', new.note, 1000);
  if new.class is null or new.class <> all(v_classes) then
    raise exception using errcode = 'RT003', constraint = 'unknown_class',
      message = format('%s is not a class of errors', coalesce(quote_literal(new.class), 'null')),
      hint = 'Choose one of: ' || array_to_string(v_classes, ', ');
  elsif coalesce(new.code, '') = '' then
    raise exception using errcode = 'RT003', constraint = 'not_a_text',
      message = 'the code of an error is a text', hint = 'Give the code that v_delivery shows, for example http_422';
  elsif new.transport is null
    or new.transport <> '*' and not exists (select from retoma.transport as t where t.name = new.transport)
  then
    raise exception using errcode = 'RT001', constraint = 'unknown_transport',
      message = format('there is no transport %s', coalesce(quote_literal(left(new.transport, 200)), 'null')),
      hint = 'Give * for all transports, or one of: '
        || (select string_agg(t.name, ', ' order by t.name) from retoma.transport as t);
  elsif new.defer_s not between 0 and 604800 then
    raise exception using errcode = 'RT003', constraint = 'out_of_range',
      message = format('defer_s cannot be %s', new.defer_s),
      hint = 'Give 0 to 604800 seconds (a week), or null for the default of the class';
  elsif new.code in ('timeout', 'connection_lost') and new.class <> 'ambiguous' then
    raise exception using errcode = 'RT003', constraint = 'proves_nothing',
      message = format('%s cannot be %s: no answer came, so the message may have arrived', new.code, new.class),
      hint = 'Leave it ambiguous. Where the provider dedupes, the message is sent again by itself; elsewhere a '
        || 'receipt, a lookup or you decide';
  end if;
  if new.class <> 'ambiguous' and (
    tg_op = 'UPDATE' and old.class = 'ambiguous'
    or tg_op = 'INSERT' and exists (
      select from retoma.error_rule as r where r.transport = '*' and r.code = new.code and r.class = 'ambiguous'
    )
  ) then
    raise warning using
      message = format('from now on, a message that ends in %s counts as not arrived', new.code),
      hint = 'If the provider takes a message and then answers so, people can get it twice. To undo: '
        || format('update retoma.error_rule set class = ''ambiguous'' where transport = %L ', new.transport)
        || format('and code = %L', new.code);
  end if;
  return new;
end;
$$;

comment on function retoma_internal.error_rule_guard() is
'Trigger: refuses an unknown class or transport, a wait out of bounds, a code or a note that is too long, and a class
that would treat a missing answer as proof (RT001, RT003). Warns when a code that was ambiguous gets another class.';

create or replace trigger error_rule_guard before insert or update on retoma.error_rule
for each row execute function retoma_internal.error_rule_guard();
