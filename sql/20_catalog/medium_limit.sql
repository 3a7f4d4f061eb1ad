create table if not exists retoma.medium_limit (
  transport text not null references retoma.transport (name),
  medium text not null check (medium in ('image', 'video', 'document', 'audio')),
  mimetype text not null,
  maximum int not null check (maximum > 0),
  note text not null,
  primary key (transport, medium, mimetype)
);

comment on table retoma.medium_limit is
'Which files a transport takes for an image, a video, a document and an audio. What has no row is refused when a
campaign is created.';
comment on column retoma.medium_limit.medium is 'What the file is in the content, or in its header.';
comment on column retoma.medium_limit.mimetype is 'One of those in media_type.';
comment on column retoma.medium_limit.maximum is 'Bytes of the file.';
comment on column retoma.medium_limit.note is 'Where the number comes from.';
