create table if not exists retoma_internal.text_form (
  type text primary key,
  pattern text not null,
  words text not null
);

comment on table retoma_internal.text_form is
'What a text of a content has to be, by the type in content_field, also after rendering. A type without a row takes any
text.';
comment on column retoma_internal.text_form.pattern is
'A regular expression that means the same in PostgreSQL and in Python: no classes but [ ], no flags.';
comment on column retoma_internal.text_form.words is
'What is wrong with a text that does not match, as in "x.y is not …".';
