create table if not exists retoma.content_kind (
  kind text primary key check (kind ~ '^[a-z][a-z0-9_]{0,30}$'),
  note text not null
);

comment on table retoma.content_kind is
'What a campaign can say. retoma_internal.content_field has the fields of each kind, transport_kind the transports that
send it.';
comment on column retoma.content_kind.note is 'What the recipient sees.';
