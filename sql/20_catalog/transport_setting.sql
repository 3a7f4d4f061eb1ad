create table if not exists retoma.transport_setting (
  transport text not null references retoma.transport (name),
  key text not null check (key ~ '^[a-z][a-z0-9_]{0,62}$'),
  kind text not null check (kind in ('text', 'url', 'secret', 'flag', 'seconds', 'choice', 'words')),
  required boolean not null default false,
  choices text[] check ((kind = 'choice') = (cardinality(choices) is not null)),
  default_value jsonb,
  minimum numeric check (minimum is null or kind = 'seconds'),
  maximum numeric check (maximum is null or kind = 'seconds'),
  note text not null,
  primary key (transport, key)
);

comment on table retoma.transport_setting is
'The settings that a channel of a transport can have. Any other setting is refused.';
comment on column retoma.transport_setting.kind is
'text, url (http or https) and secret: a text that is not empty. url: an address that messages go to; a channel that
gets another one needs its secrets again. secret: can be env:RETOMA_SECRET_NAME or file:NAME, which the runner reads.
flag: true or false. seconds: a number from minimum to maximum. choice: one of choices. words: up to 1,000 characters
that people read; they do not decide where messages go.';
comment on column retoma.transport_setting.required is 'A channel cannot be created without this setting.';
comment on column retoma.transport_setting.default_value is 'The value in a channel when the setting is not given.';
