-- The bytes are stored as they are: media are compressed already, and a part of them can be read without the rest.
create table if not exists retoma_internal.medium_data (
  sha256 bytea primary key check (length(sha256) = 32),
  mimetype text not null,
  size int not null check (size > 0),
  data bytea not null
);

alter table retoma_internal.medium_data alter column data set storage external;

comment on table retoma_internal.medium_data is 'The files of media, each once, whatever names it has.';
comment on column retoma_internal.medium_data.size is 'Bytes.';

create table if not exists retoma_internal.medium (
  name text primary key,
  sha256 bytea not null references retoma_internal.medium_data (sha256),
  added_at timestamptz not null
);

comment on table retoma_internal.medium is
'The names under which contents say files. A name never gets another file, because the content of a campaign is fixed.';
