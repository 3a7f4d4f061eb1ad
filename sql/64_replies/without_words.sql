-- Plain words have no character with a meaning in a regular expression. The longest phrase that fits is taken away.
create or replace function retoma_internal.without_words(p_words text, p_meanings text[]) returns text
language sql stable
begin atomic
  select btrim(regexp_replace(' ' || p_words || ' ', ' (?:' || string_agg(w.plain, '|') || ')(?= )', '', 'g'))
  from retoma.reply_word as w
  where w.meaning = any(p_meanings)
  having count(*) > 0
  union all
  select p_words where not exists (select from retoma.reply_word as w where w.meaning = any(p_meanings));
end;

comment on function retoma_internal.without_words(text, text[]) is
'What remains of these plain words without all words and phrases of these meanings.';
