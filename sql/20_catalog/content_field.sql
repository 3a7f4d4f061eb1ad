-- The only place that knows the shape of a content. check_content refuses what does not fit. content_texts makes from
-- it the list of texts that a runner renders, so that no runner knows a field by its name.
create table if not exists retoma_internal.content_field (
  kind text not null references retoma.content_kind (kind),
  field text not null,
  type text not null check (
    type in ('text', 'line', 'link', 'number', 'time', 'word', 'flag', 'index', 'object', 'list', 'texts', 'json')
  ),
  required boolean not null default false,
  alternative boolean not null default false,
  beside text,
  distinct_values boolean not null default false,
  primary key (kind, field),
  check (not (required and alternative))
);

comment on table retoma_internal.content_field is 'The fields of each kind of content, one row each.';
comment on column retoma_internal.content_field.field is
'Its place: header.text is the field text of the object header; buttons[] is each element of the list buttons.';
comment on column retoma_internal.content_field.type is
'text: a Liquid text, which is never blank. line, link, number, time: the same, and it has the form in text_form.
word: a text without Liquid, with its form. flag: true or false. index: a whole number from 0. object: its fields have
rows. list: its elements have a row. texts: a list of texts, or an object of them whose names are free; their row is
that of a list. json: an object of anything; each string in it is a Liquid text, which may be blank.';
comment on column retoma_internal.content_field.required is
'It is in each object of its place. An optional text that is blank for a recipient is left out; a required one fails.';
comment on column retoma_internal.content_field.alternative is
'Each object of its place has exactly one of the fields that are alternatives.';
comment on column retoma_internal.content_field.beside is
'The field of the same object without which this one is refused.';
comment on column retoma_internal.content_field.distinct_values is 'No two of them in one content have the same value.';
