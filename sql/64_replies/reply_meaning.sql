-- Materialized: the words are made once, not for each row with which they are compared.
create or replace function retoma_internal.reply_meaning(p_text text) returns text
language sql stable
begin atomic
  with said as materialized (
    select p.words, retoma_internal.without_words(p.words, '{courtesy}') as core
    from (select retoma_internal.plain_words(p_text) as words) as p
  )

  select case
    when retoma_internal.reply_says(s.words, 'opt_out')
      and retoma_internal.without_words(s.words, '{opt_out,courtesy}') = '' then 'opt_out'
    when exists (
      select from retoma.reply_word as w
      where w.meaning = 'opt_out_anywhere' and strpos(' ' || s.words || ' ', ' ' || w.plain || ' ') > 0
        and not exists (
          select from retoma.reply_word as n
          where n.meaning = 'negation' and strpos(' ' || s.words || ' ', ' ' || n.plain || ' ' || w.plain || ' ') > 0
        )
    ) then 'opt_out'
    when exists (
      select from unnest('{opt_out,opt_out_anywhere,hint}'::text[]) as m (meaning)
      where retoma_internal.reply_says(s.words, m.meaning)
    ) then 'near_miss'
    -- One word of at least three letters that looks like a typing error.
    when s.core ~ '^[^ ]{3,20}$' and exists (
      select from retoma.reply_word as w
      where w.meaning = 'opt_out' and w.plain ~ '^[^ ]{4,}$' and retoma_internal.one_edit_apart(s.core, w.plain)
    ) then 'near_miss'
    else 'other'
  end
  from said as s;
end;

comment on function retoma_internal.reply_meaning(text) is
'What a reply means by the rows of reply_word: opt_out; near_miss, which a person has to read; other.';
