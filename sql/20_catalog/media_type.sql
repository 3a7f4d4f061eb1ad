-- The types are those that a provider takes. A file of any other type is refused when it is stored.
create table if not exists retoma.media_type (
  mimetype text not null check (mimetype ~ '^[a-z]+/[a-z0-9.+-]+$'),
  at_byte int not null default 0 check (at_byte >= 0),
  begins bytea not null,
  contains bytea not null default '',
  primary key (mimetype, at_byte, begins, contains)
);

comment on table retoma.media_type is
'How a file shows its type: by its first bytes, whatever its name says. Of several rows that fit, the one that names the
most bytes decides.';
comment on column retoma.media_type.mimetype is 'The type as providers write it.';
comment on column retoma.media_type.at_byte is 'Where the bytes of begins stand, counted from 0.';
comment on column retoma.media_type.begins is 'What stands there.';
comment on column retoma.media_type.contains is 'What else stands anywhere in the file; empty: nothing.';
