create table if not exists retoma.transport (
  name text primary key check (name ~ '^[a-z][a-z0-9_]{0,30}$'),
  pacing jsonb not null default '{}' check (jsonb_typeof(pacing) = 'object'),
  looks_up_when jsonb not null default '[]' check (
    jsonb_typeof(looks_up_when) = 'array' and not looks_up_when @? 'strict $[*] ? (@.type() != "object")'
  ),
  absent_proves boolean not null default false,
  note text not null
);

comment on table retoma.transport is
'Kinds of provider. A transport that you write yourself needs a row here, its settings in transport_setting, and its
kinds of content in transport_kind. A channel takes what these rows say when it is created, and again at each
configure_channel.';
comment on column retoma.transport.pacing is 'What create_channel gives to a channel before the pacing of its caller.';
comment on column retoma.transport.looks_up_when is
'Patterns of settings. A channel whose settings contain one of them can ask its provider about messages in doubt. []:
never; [{}]: always.';
comment on column retoma.transport.absent_proves is
'Whether "I do not have it", from the provider, proves that it never took the message, which is then sent again. When
false, the message stays in doubt.';
