create or replace function retoma_internal.reply_says(p_words text, p_meaning text) returns boolean
language sql stable
begin atomic
  select count(*) > 0
  from retoma.reply_word as w
  where w.meaning = p_meaning and strpos(' ' || p_words || ' ', ' ' || w.plain || ' ') > 0;
end;

comment on function retoma_internal.reply_says(text, text) is
'Whether these plain words hold a word or phrase of this meaning.';
