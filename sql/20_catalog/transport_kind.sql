create table if not exists retoma.transport_kind (
  transport text not null references retoma.transport (name),
  kind text not null references retoma.content_kind (kind),
  dedupes_when jsonb not null default '[]' check (
    jsonb_typeof(dedupes_when) = 'array' and not dedupes_when @? 'strict $[*] ? (@.type() != "object")'
  ),
  shows_id boolean not null default false,
  primary key (transport, kind)
);

comment on table retoma.transport_kind is
'The kinds of content that a transport can send. content_limit says how much of each.';
comment on column retoma.transport_kind.dedupes_when is
'Patterns of settings. On a channel whose settings contain one of them, the recipient sees a message only once when it
is sent again with the same id. []: never; [{}]: always.';
comment on column retoma.transport_kind.shows_id is
'Whether the answer of the provider shows if it took our id. Then a channel dedupes only after an answer has shown it,
and no longer after one that shows another id.';
