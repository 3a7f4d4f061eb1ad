-- Two texts that a person reads as the same words give the same result. Separators are listed by code point, because a
-- class such as [[:alnum:]] depends on the locale of the database. Stored in reply_word, so a change of this function
-- must write those rows again.
create or replace function retoma_internal.plain_words(p_text text) returns text
language sql immutable parallel safe
begin atomic
  with letters as materialized (
    -- Accents, and marks that nobody sees.
    select regexp_replace(
      lower(normalize(p_text, nfkd)),
      '[\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]', '', 'g'
    ) as said
  ),

  words as materialized (
    -- All that is no letter and no digit: punctuation, marks of emphasis, arrows, emoji.
    select btrim(
      regexp_replace(
        l.said,
        '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u20d0-\u20ff\u2190-\u2bff\u3000-\u303f'
        '\U0001f000-\U0001faff\U000e0000-\U000e007f]+',
        ' ', 'g'
      )
    ) as said
    from letters as l
  )

  -- "s t o p" and "stoooop" are "stop". Not by a regular expression: a reference back to a letter takes minutes in a
  -- long word.
  select coalesce(string_agg(l.letter, '' order by l.place), '')
  from (
    select c.letter, c.place, lag(c.letter) over (order by c.place) as before
    from words as w
    cross join lateral string_to_table(
      case when w.said ~ '^(?:[^ ] )+[^ ]$' then replace(w.said, ' ', '') else w.said end, null
    ) with ordinality as c (letter, place)
  ) as l
  where l.letter is distinct from l.before or strpos('0123456789', l.letter) > 0;
end;

comment on function retoma_internal.plain_words(text) is
'The words of p_text as they are compared: without case, accents, punctuation, emoji and repeated letters, one space
between words.';
