create table if not exists retoma.content_limit (
  transport text not null,
  kind text not null,
  field text not null,
  maximum int not null check (maximum > 0),
  note text not null,
  primary key (transport, kind, field),
  foreign key (transport, kind) references retoma.transport_kind (transport, kind)
);

comment on table retoma.content_limit is
'What a transport takes at most of a kind of content. A campaign has the lowest limits of its channels. Without a row, a
text has at most 65536 characters.';
comment on column retoma.content_limit.field is
'A text: its characters. buttons[].title is the title of each button. A list: its elements. rows: the elements of all
lists of this name in the content.';
comment on column retoma.content_limit.maximum is 'Characters of a text, also after rendering; elements of a list.';
comment on column retoma.content_limit.note is 'Where the number comes from.';
