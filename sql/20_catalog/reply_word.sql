create table if not exists retoma.reply_word (
  words text not null check (length(words) <= 200),
  meaning text not null check (meaning in ('opt_out', 'opt_out_anywhere', 'hint', 'courtesy', 'negation')),
  note text,
  plain text generated always as (retoma_internal.plain_words(words)) stored primary key check (plain <> '')
);

comment on table retoma.reply_word is
'How replies are understood. Change it with INSERT, UPDATE and remove_reply_word(words): it is read at every reply, and
a new installation keeps your changes. Case, accents, punctuation, emoji and repeated letters do not matter.';
comment on column retoma.reply_word.words is 'A word or a phrase.';
comment on column retoma.reply_word.meaning is
'opt_out: an opt-out when the reply says only this, courtesies aside; opt_out_anywhere: an opt-out wherever it stands,
unless a negation stands before it; hint: a person should read the reply; courtesy: changes nothing in the meaning of a
reply; negation: turns the words after it around.';
comment on column retoma.reply_word.plain is 'The words as they are compared.';
