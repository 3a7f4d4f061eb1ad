-- BEFORE INSERT OR UPDATE. The column plain is computed afterwards.
create or replace function retoma_internal.reply_word_guard() returns trigger
language plpgsql security definer
set search_path to pg_catalog, pg_temp
as $$
begin
  perform retoma_internal.check_length('a word or phrase', new.words, 200);
  perform retoma_internal.check_length('the note', new.note, 1000);
  if coalesce(retoma_internal.plain_words(new.words), '') = '' then
    raise exception using errcode = 'RT003', constraint = 'bad_reply_word',
      message = format('%s has no letter and no digit', coalesce(quote_literal(new.words), 'null')),
      hint = 'Give what people write, for example sair or ''não quero mais''';
  elsif new.meaning is null
    or new.meaning not in ('opt_out', 'opt_out_anywhere', 'hint', 'courtesy', 'negation')
  then
    raise exception using errcode = 'RT003', constraint = 'bad_reply_word',
      message = format('%L cannot mean %s', new.words, coalesce(quote_literal(left(new.meaning, 200)), 'nothing')),
      hint = 'Choose opt_out, opt_out_anywhere, hint, courtesy or negation';
  end if;
  return new;
end;
$$;

comment on function retoma_internal.reply_word_guard() is
'Trigger: refuses words without a letter or digit, words and notes that are too long, and unknown meanings (RT003).';

create or replace trigger reply_word_guard before insert or update on retoma.reply_word
for each row execute function retoma_internal.reply_word_guard();
